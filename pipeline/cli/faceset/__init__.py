"""The `galloway faceset` commands."""
