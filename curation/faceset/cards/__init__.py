"""A faceset's card: who is in it, on what basis, and how two sets compare."""
