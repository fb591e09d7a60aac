"""The workspace: its folder, settings, tables and rows."""
