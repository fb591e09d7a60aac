"""The `galloway market` commands."""
