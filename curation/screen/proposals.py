"""Rejections that screening would make by itself: proposed, listed, partly checked by people; carried out elsewhere."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..errors import ScreenError
from ..types import DecidedBy, Decision, FaceId, Side, Status
from .priors import Prior, Screening

__all__ = ["METHOD", "Proposal", "propose"]

METHOD = "screen"
LOWEST_CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Proposal:
    """`decisions` reject without asking; `audit` are faces as surely rejected that people are asked about all the same,
    so that the error of screening is measured on this set. No face is in both."""

    confidence: float
    decisions: tuple[Decision, ...]
    audit: tuple[FaceId, ...]


def propose(screening: Screening, *, confidence: float = 0.99, audit: float = 0.1, seed: int = 1) -> Proposal:
    """Propose to reject the faces whose probability of being kept is at most 1 - `confidence`.

    `audit` (0 to 1) is the share of them that people see instead, at least one, drawn with `seed`. On side A only
    another person is proposed, never a blurred or covered face. Raises ScreenError for a confidence under 0.9.
    """
    if not LOWEST_CONFIDENCE <= confidence <= 1:
        raise ScreenError(f"A confidence of {confidence:g} is not between {LOWEST_CONFIDENCE:g} and 1.")
    if not 0 <= audit <= 1:
        raise ScreenError(f"An audit share of {audit:g} is not between 0 and 1.")
    sure = [
        (prior, reason)
        for prior in screening.priors
        if prior.p_keep <= 1 - confidence and (reason := _reason(prior, screening.side)) is not None
    ]
    order = sorted(sure, key=lambda item: item[0].face_id)
    checked = min(len(order), max(1, round(audit * len(order)))) if audit > 0 else 0
    seen = {prior.face_id for prior, _ in random.Random(seed).sample(order, checked)}
    decisions = tuple(_rejection(prior, reason) for prior, reason in sure if prior.face_id not in seen)
    return Proposal(confidence, decisions, tuple(sorted(seen)))


def _reason(prior: Prior, side: Side) -> str | None:
    """One of REASONS, the one that weighs most; None where the side keeps such a face."""
    if prior.p_same is not None and prior.p_same < prior.p_usable:
        return "another_person"
    if side is Side.A:
        return None
    if "blurred" in prior.flags:
        return "blurred"
    return "covered" if "unclear" in prior.flags else "bad_crop"


def _rejection(prior: Prior, reason: str) -> Decision:
    return Decision(
        face_id=prior.face_id,
        question=None,
        status=Status.REJECTED,
        label="reject",
        reason=reason,
        posterior=1 - prior.p_keep,
        votes=0,
        decided_by=DecidedBy.SCREEN,
        method=METHOD,
    )
