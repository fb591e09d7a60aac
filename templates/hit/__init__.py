"""HIT pages: `_base.html`, `keep_reject.html`, `identity.html`."""
