"""The requester's web app: where the work stands, what it costs, who disagrees, what came out."""

from .site import create_web_app

__all__ = ["create_web_app"]
