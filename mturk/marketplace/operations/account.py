"""GetAccountBalance."""

from __future__ import annotations

from typing import Any

from ..lifecycle import funds
from ..rules.money import format_cents
from .base import Call

__all__ = ["get_balance"]


def get_balance(call: Call) -> dict[str, Any]:
    """10000.00 in the sandbox, as MTurk's was; else what can be spent, and what is reserved for open HITs."""
    spendable, held = funds.available(call.tx, call.owner)
    balance: dict[str, Any] = {"AvailableBalance": format_cents(spendable)}
    if not call.tx.config.sandbox:
        balance["OnHoldBalance"] = format_cents(held)
    return balance
