"""Pulls: what standing together does to this workspace's answers, measured on groups shown mixed, and taken out.

`mixed_share` of the groups, drawn by a hash, is shown mixed. Compared are answers of the first look at a face: of
groups that stood together, and of those drawn ones of which as many faces were asked at once as make a group, since
what is asked singly for other reasons (the doubtful faces of a track, audits) is rejected more often or less.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...curation.learn.pull import Drawn, Look, drawn_by
from ...curation.types import ABSTENTIONS, Face, FaceId, PageKind, Question, Side, Vote, VoterKind
from ...curation.votes import Votes
from ..app import App
from ..workspace.firsts import first_alone
from .groups import stand_together
from .layout import GROUP_FROM
from .sample import in_sample
from .screening import twin_leaders

__all__ = ["compared", "drawn_answer", "drawn_now", "looks_now", "together"]

_REJECTS = frozenset({"reject", "different"})


def looks_now(app: App, faces: Sequence[Face], votes: Sequence[Vote]) -> dict[Question, list[Look]]:
    """What can be compared of these votes, all that count, per question."""
    cast = Votes.of(votes)
    if not cast.columns["look"].where(_grouped).any():
        return {}
    twins = {copy: leader for side in Side for copy, leader in twin_leaders(app, side).items()}
    groups = stand_together(faces, twins)
    size, share = Counter(groups.values()), app.settings.ask.mixed_share
    mixed = {leader for leader in size if size[leader] >= GROUP_FROM and in_sample(app, "mixed", leader, share)}
    return compared(cast, groups, mixed, first_alone(app.workspace))


def drawn_now(app: App, faces: Sequence[Face], votes: Sequence[Vote]) -> dict[Question, Drawn]:
    """What is to be taken out of workers' answers, per question on which a pull is shown."""
    cast = Votes.of(votes)
    looks = looks_now(app, faces, cast.at(cast.where(kind=VoterKind.WORKER)))
    found = {question: drawn_by(told) for question, told in looks.items()}
    return {question: drawn for question, drawn in found.items() if drawn is not None}


def compared(
    votes: Sequence[Vote],
    groups: Mapping[FaceId, FaceId],
    mixed: Collection[FaceId],
    alone: Mapping[tuple[FaceId, Question], Any],
) -> dict[Question, list[Look]]:
    """One look for each worker and group. `groups`: face → the first one of its group; `mixed` are those that were
    drawn to be shown mixed; `alone`: with which others a face was asked first and singly."""
    beside = Counter((question, batch, groups.get(face)) for (face, question), batch in alone.items())
    told: dict[tuple[Question, str, FaceId, bool], list[bool]] = defaultdict(list)
    for vote in votes:
        leader = groups.get(vote.face_id)
        if leader is None or vote.round > 1 or vote.label in ABSTENTIONS[vote.question]:
            continue
        grouped = together(vote)
        if not grouped and not (leader in mixed and _apart(vote)):
            continue
        batch = alone.get((vote.face_id, vote.question))
        if grouped or beside[vote.question, batch, leader] >= GROUP_FROM:
            told[vote.question, vote.worker_id, leader, grouped].append(vote.label in _REJECTS)
    found: dict[Question, list[Look]] = defaultdict(list)
    for (question, worker, leader, grouped), said in told.items():
        found[question].append(Look(worker, leader, grouped, sum(said) / len(said)))
    return dict(found)


def drawn_answer(vote: Vote, drawn: Drawn | None) -> float:
    """The chance that this vote was drawn to what it says, whatever the face shows."""
    if drawn is None or vote.kind is not VoterKind.WORKER or not together(vote):
        return 0.0
    return drawn.chance(vote.worker_id, good=vote.label not in _REJECTS)


def _page(look: str) -> str:
    return look.partition(":")[0]


def together(vote: Vote) -> bool:
    """Whether a vote was given on a page of groups."""
    return _grouped(vote.look)


def _grouped(look: str) -> bool:
    page = _page(look)
    return bool(page) and PageKind(page).grouped


def _apart(vote: Vote) -> bool:
    return _page(vote.look) in (PageKind.BOTH, PageKind.IDENTITY)
