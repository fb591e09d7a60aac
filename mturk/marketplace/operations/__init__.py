"""The 39 operations of the requester API, by name."""

from mturk.marketplace.operations.base import Call, Operation
from mturk.marketplace.operations.registry import OPERATIONS

__all__ = ["OPERATIONS", "Call", "Operation"]
