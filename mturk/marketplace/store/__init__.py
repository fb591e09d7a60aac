"""Tables, migrations and transactions."""

from .transactions import Store, Tx, one, rows

__all__ = ["Store", "Tx", "one", "rows"]
