"""The composition root: one marketplace from one config."""

from __future__ import annotations

from mturk.marketplace.config import Addresses, MarketConfig

__all__ = ["Addresses", "MarketConfig"]
