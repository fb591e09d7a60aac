"""Ballots: what somebody answered on a frozen page → votes. The same for workers and for one who reviews alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ...curation.types import AssignmentId, Vote, VoterKind, WorkerId
from ..workspace.records import FrozenBatch, FrozenTile
from .tasks import GridTask, Tile, look_of, meanings, parse_answers

__all__ = ["Voter", "read_votes"]


@dataclass(frozen=True, slots=True)
class Voter:
    """Who answered a page, when, and in how many seconds."""

    worker_id: WorkerId
    assignment_id: AssignmentId
    submitted_at: datetime
    seconds: float | None
    kind: VoterKind = VoterKind.WORKER
    simulated: bool = False


def read_votes(
    batch: FrozenBatch,
    tiles: Mapping[str, FrozenTile],
    answers: Mapping[str, str],
    voter: Voter,
    *,
    known: bool = False,
) -> list[Vote]:
    """The votes in the fields of a page's form; with `known`, instead, the answers on the faces that were known already
    and are no votes on them. Raises BadAnswer for fields that the page does not have."""
    task = GridTask(batch.page, batch.side, [Tile(key, "", group=tile.group) for key, tile in tiles.items()])
    said = [
        (answer, meaning) for answer in parse_answers(task, answers) for meaning in meanings(batch.page, answer.value)
    ]
    return [
        Vote(
            face_id=tiles[answer.key].face_id,
            question=meaning.question,
            label=meaning.label,
            reason=meaning.reason,
            worker_id=voter.worker_id,
            assignment_id=voter.assignment_id,
            round=batch.round,
            submitted_at=voter.submitted_at,
            seconds=None if voter.seconds is None else voter.seconds / len(said),
            kind=voter.kind,
            simulated=voter.simulated,
            look=look_of(batch.page, answer.by),
        )
        for answer, meaning in said
        if tiles[answer.key].gold is known
    ]
