"""Near-copies answered once: with `[ask] copies = "once"`, the answer on a face stands for its near-copies too.

Which face leads and which are its copies is what the last screening found (perceptual hash and time). A copy that
nobody was asked about gets a decision of its own, derived from its leader's: decided by "copy", with the leader's face
id as its method. It is no vote, weighs less than its leader's, and is gone as soon as `copies` says "each" again. A
share of the copies is asked all the same, so that the agreement is measured on this very set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ...curation.types import DecidedBy, Decision, Face, FaceId, Side, Status
from ..app import App
from ..wording import counted, noun
from .sample import in_sample

__all__ = ["Copies", "copies_behind", "copies_of", "follow", "followers", "with_copies"]

AGREEMENT = 0.99
"""How sure a copy's decision is where its leader's is certain: of 158 labelled copies all had their leader's labels on
both questions (bench/screen.py), which leaves an error of up to 2 % possible."""
_SETTLED = (Status.APPROVED, Status.REJECTED)
_ASKED = (DecidedBy.CROWD, DecidedBy.PERSON, DecidedBy.GOLD)


@dataclass(frozen=True, slots=True)
class Copies:
    """Copy → its leader, for the copies that are not asked; and for the `sample` that is asked all the same."""

    leaders: Mapping[FaceId, FaceId]
    sample: Mapping[FaceId, FaceId]

    def agreement(self, decisions: Sequence[Decision]) -> tuple[int, int]:
        """Of how many copies of the sample that are settled, as their leaders are, the decision is the leader's."""
        settled = {
            item.face_id: item.status
            for item in decisions
            if item.question is None and item.status in _SETTLED and item.decided_by in _ASKED
        }
        pairs = [(settled[one], settled[two]) for one, two in self.sample.items() if one in settled and two in settled]
        return sum(one is two for one, two in pairs), len(pairs)

    def line(self, decisions: Sequence[Decision]) -> str:
        """For people: how many are not asked, and how the sample did. Empty where there are no copies."""
        if not self.leaders and not self.sample:
            return ""
        told = (
            f"{len(self.leaders)} near-copies of {len(set(self.leaders.values()))} faces are not asked; the answer on "
            f'each of those faces stands for them ([ask] copies = "once").'
        )
        if self.sample:
            same, settled = self.agreement(decisions)
            seen = f": {same} of {settled} settled ones are what their leader is" if settled else ""
            told += f" {len(self.sample)} are asked all the same, to test that{seen}."
        return told


def copies_of(app: App, decisions: Sequence[Decision], faces: Sequence[Face]) -> Copies:
    """The copies among `faces` that need no question. None where `[ask] copies` is "each" or nothing was screened.

    A copy is asked like any face where it has an answer of its own already, and where its leader is not asked itself:
    it is gone, or screening rejected it.
    """
    return _unasked(app, _found(app), decisions, faces)


def followers(app: App, wanted: Collection[FaceId]) -> dict[FaceId, int]:
    """How many near-copies take the answer on each of these faces, decided or not; faces that none follows are left
    out."""
    found = copies_behind(app, wanted)
    if not found:
        return {}
    ids = [*found, *set(found.values())]
    faces = app.store.faces(rejected=True, among=ids)
    return dict(Counter(_unasked(app, found, app.store.decisions(faces=ids), faces).leaders.values()))


def follow(count: int) -> str:
    """For people: so many near-copies follow a face."""
    return f"{counted(count, 'near-copy', 'near-copies')} {noun(count, 'follows', 'follow')}"


def _found(app: App) -> dict[FaceId, FaceId]:
    """Copy → leader as the last screening found them; none where each is asked."""
    if app.settings.ask.copies != "once":
        return {}
    from .screening import twin_leaders

    return {copy: leader for side in Side for copy, leader in twin_leaders(app, side).items()}


def _unasked(app: App, found: Mapping[FaceId, FaceId], decisions: Sequence[Decision], faces: Sequence[Face]) -> Copies:
    known = {face.face_id for face in faces}
    answered = {item.face_id for item in decisions if item.question is not None}
    unasked = {item.face_id for item in decisions if item.question is None and item.decided_by is DecidedBy.SCREEN}
    pairs = {
        copy: leader
        for copy, leader in found.items()
        if copy in known and leader in known and leader not in unasked and copy not in unasked
    }
    sample = {
        copy: leader for copy, leader in pairs.items() if in_sample(app, "copy", copy, app.settings.ask.copies_audit)
    }
    alone = {copy: leader for copy, leader in pairs.items() if copy not in sample and copy not in answered}
    return Copies(alone, sample)


def copies_behind(app: App, wanted: Collection[FaceId]) -> dict[FaceId, FaceId]:
    """Copy → leader, for the near-copies of the faces that are `wanted`."""
    return {copy: leader for copy, leader in _found(app).items() if leader in wanted}


def with_copies(app: App, decisions: Sequence[Decision], faces: Sequence[Face]) -> list[Decision]:
    """`decisions` with those of settled leaders in the place of their unasked copies' undecided ones."""
    leaders = copies_of(app, decisions, faces).leaders
    if not leaders:
        return list(decisions)
    settled = {
        item.face_id: item
        for item in decisions
        if item.question is None and item.status in _SETTLED and item.decided_by in _ASKED
    }
    return [
        _derived(item, settled[leaders[item.face_id]])
        if item.question is None and item.status is Status.UNDECIDED and leaders.get(item.face_id) in settled
        else item
        for item in decisions
    ]


def _derived(copy: Decision, leader: Decision) -> Decision:
    return replace(
        leader,
        face_id=copy.face_id,
        posterior=None if leader.posterior is None else leader.posterior * AGREEMENT,
        votes=0,
        decided_by=DecidedBy.COPY,
        method=leader.face_id,
    )
