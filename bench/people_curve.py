"""The curve of error against votes: what would be wrong and what would be open if asking had stopped after a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from galloway.curation.types import Decision, FaceId, Status, Vote

__all__ = ["Point", "point", "told"]


@dataclass(frozen=True, slots=True)
class Point:
    """After so many `votes` a face: the shares of all faces that are decided wrongly, and that are not decided."""

    votes: float
    wrong: float
    open: float

    def as_json(self) -> list[float]:
        return [round(self.votes, 4), round(self.wrong, 4), round(self.open, 4)]


def point(decisions: Iterable[Decision], votes: Iterable[Vote], wanted: Mapping[FaceId, bool]) -> Point:
    """Where the `wanted` faces stand by these decisions; a vote is one worker's look at one face."""
    status = {item.face_id: item.status for item in decisions if item.question is None}
    decided = {face: item is Status.APPROVED for face, item in status.items() if _settled(item)}
    wrong = sum(kept is not wanted[face] for face, kept in decided.items() if face in wanted)
    looks = len({(vote.face_id, vote.assignment_id) for vote in votes})
    left = sum(face not in decided for face in wanted)
    return Point(looks / len(wanted), wrong / len(wanted), left / len(wanted))


def told(curve: Sequence[Point]) -> str:
    """The curve for people, a round after the other."""
    rounds = (f"{at.votes:.3f}: {at.wrong:.2%} wrong, {at.open:.1%} open" for at in curve)
    return "  votes a face: " + "; ".join(rounds)


def _settled(status: Status) -> bool:
    return status in (Status.APPROVED, Status.REJECTED)
