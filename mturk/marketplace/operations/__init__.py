"""The 39 operations of the requester API, by name."""

from .base import Call, Operation
from .registry import OPERATIONS

__all__ = ["OPERATIONS", "Call", "Operation"]
