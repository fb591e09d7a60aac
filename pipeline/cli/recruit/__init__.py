"""The `galloway recruit` commands."""
