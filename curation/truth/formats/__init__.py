"""Votes in the files that people have: a container (CSV, Excel, Parquet, JSON, XML), recognised by its header, read."""
