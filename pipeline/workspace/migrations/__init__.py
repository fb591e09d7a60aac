"""Alembic migrations of a workspace's database.

A change of a table takes three things: a file `versions/v000N_….py` whose `upgrade` changes the table as it was, never
importing today's definitions; `SCHEMA_VERSION = N` in `pipeline/workspace/schema.py`; and a dump of a database of
version N - 1 beside `tests/unit/pipeline/workspace/databases/workspace-1.sql`, which the tests upgrade. A test is red
while the two differ. No step may lose data: the database is copied before, and the whole upgrade is one transaction.
"""
