"""Tables, migrations and transactions."""

from . import recruit_tables, server_tables, tables  # noqa: F401  (so that `columns.metadata` is whole)
from .transactions import MuchToTouch, Store, Tx, ask, ask_one, one, rows, tell

__all__ = ["MuchToTouch", "Store", "Tx", "ask", "ask_one", "one", "rows", "tell"]
