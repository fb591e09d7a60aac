"""Jinja templates of the requester's app."""
