"""Jobs that last: commands that a page starts, in processes of their own, which outlive the page and its server."""
