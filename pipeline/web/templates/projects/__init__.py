"""The project pages' templates."""
