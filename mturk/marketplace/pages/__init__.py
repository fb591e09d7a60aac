"""What people see: the worker site, the frame origin for requesters' pages, and the operator page.

`create_worker_app(work, config, operator)` and `create_frame_app(work, config)` are WSGI apps (Flask). They hold no
rules: every click is one call of `Work` or of the operator desk. The two must be served from different origins.
"""

from __future__ import annotations

from .frame.app import create_frame_app
from .worker.site import create_worker_app

__all__ = ["create_frame_app", "create_worker_app"]
