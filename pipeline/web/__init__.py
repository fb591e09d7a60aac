"""The requester's web app: where the work stands, what it costs, who disagrees, what came out."""

from .door import Door
from .site import create_web_app

__all__ = ["Door", "create_web_app"]
