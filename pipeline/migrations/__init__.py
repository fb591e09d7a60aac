"""Alembic migrations of a workspace's database."""
