"""How long a test waits for another thread or process: no stopwatch, only an end for what hangs."""

from __future__ import annotations

__all__ = ["PATIENCE"]

PATIENCE = 400.0
"""Seconds. Below the suite's own limit of 600, so that what hangs is named; being busy alone takes no test so long."""
