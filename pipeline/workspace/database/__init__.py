"""Where a workspace's rows are: SQLite's file in its folder, or one database of a PostgreSQL server."""
