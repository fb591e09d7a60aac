"""The `galloway project` commands."""
