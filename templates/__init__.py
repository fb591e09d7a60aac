"""Jinja2 sources of the pages that workers see; `hit/` holds one page per kind of HIT."""
