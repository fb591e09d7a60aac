"""Tables, migrations and transactions."""

from mturk.marketplace.store.transactions import Store, Tx, one, rows

__all__ = ["Store", "Tx", "one", "rows"]
