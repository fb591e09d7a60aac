"""Asking people: what is needed, published, collected, decided, settled."""
