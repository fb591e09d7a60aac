"""The audit's law with auditors who err: a slip is no error, who says yes to everything proves nothing, it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from galloway.curation.learn.auditing import Settled, overlooks, settle, skills, tells
from galloway.curation.learn.bound import Proof
from galloway.curation.learn.voters import Answers, hear
from numpy.typing import NDArray

FACES, AUDITED, TAUGHT, KEPT, SETS = 1500, 400, 300, 0.12, 25
CROWD = ((0.98, 0.99), (0.94, 0.96), (0.92, 0.95), (0.95, 0.93), (0.60, 0.96), (0.83, 0.17))
"""How often each is right about bad and about good faces; the fifth hardly looks, the last one answers at random."""
SKILL = np.array([[0.94, 0.95], [0.94, 0.95], [0.94, 0.95], [0.60, 0.96], [0.95, 0.05]])
"""Where bad faces are marked; where good ones are, the two are the other way round."""


def said(*votes: tuple[int, bool], kept: bool = False, last: bool = False, sought: bool = False) -> Settled:
    """What votes (worker, speaks for the face) settle of one decision."""
    workers, good = (np.array(column, dtype=np.intp) for column in zip(*votes, strict=True))
    names = tuple(str(number) for number in range(len(SKILL)))
    nowhere = np.zeros(len(workers), dtype=np.intp)
    ways = np.full(len(workers), sought)
    answers = Answers(nowhere, workers, workers, good > 0, np.array([np.nan]), names, sought=ways)
    return settle(answers, np.stack([SKILL, SKILL[:, ::-1]]), np.array([kept]), np.array([last]))


def test_a_vote_against_a_decision_is_a_suspicion_that_others_settle() -> None:
    assert said((0, True)).open[0]
    assert said((0, True), (1, False)).open[0], "one against one settles nothing"
    assert said((0, True), (1, False), (2, False)).right[0]
    two = said((0, True), (1, True))
    assert two.open[0] and two.doubted[0], "two usual workers slip on the same face now and then"
    assert not said((0, True), (1, True), (2, False)).doubted[0]
    assert said((0, True), (1, True), (2, True)).wrong[0]


def test_who_says_yes_to_everything_proves_nothing_and_another_is_asked() -> None:
    assert said((0, False)).right[0]
    assert said((4, False)).open[0], "the fifth rejects nearly all"
    assert said((3, True), kept=True).open[0], "the fourth overlooks bad faces"
    assert said((3, False)).right[0], "and knows good ones"
    both = said((4, False), (0, False))
    assert both.right[0] and both.missed[0] == pytest.approx(0.05 / 0.94, rel=0.1)


def test_who_overlooks_good_faces_confirms_nothing_by_leaving_them_unmarked() -> None:
    """The fourth finds six good faces in ten: where these are marked, leaving one unmarked is what they mostly do."""
    assert said((3, False)).right[0], "a bad face that was marked"
    assert said((3, False), sought=True).open[0], "one that was left with the rest"
    assert said((3, True), kept=True, sought=True).right[0], "a good face that was found"
    assert overlooks(np.stack([SKILL, SKILL[:, ::-1]])).tolist() == [False, False, False, True, True]


def test_where_nobody_is_left_the_votes_decide() -> None:
    assert said((3, True), kept=True, last=True).right[0]
    assert said((0, True), (1, True), last=True).wrong[0]


@dataclass
class Audit:
    """Made-up decisions of which a share is wrong, and a crowd that taught and then audits them."""

    seed: int
    wrong: float
    only: bool | None = None
    sought: bool = False
    found: float | None = None
    """The share of good faces that all who look find where these are marked; None: as many as bad ones elsewhere."""

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.good = self.rng.random(FACES) < KEPT
        pool = np.arange(FACES) if self.only is None else np.flatnonzero(self.good == self.only)
        self.kept = self.good.copy()
        self.kept[self.rng.choice(pool, round(self.wrong * FACES), replace=False)] ^= True
        self.rows: list[tuple[int, int, int, int]] = []
        self.seen: dict[int, set[int]] = {}

    def ask(self, faces: NDArray[np.intp], page: int, *, blind: int) -> None:
        fit = self.fit() if blind and self.sought else frozenset()
        for start in range(0, len(faces), page):
            here = faces[start : start + page]
            others = [worker for worker in range(len(CROWD)) if worker not in self.seen.get(int(here[0]), ())]
            left = [worker for worker in others if worker in fit] or others
            worker = left[int(self.rng.random() * len(left))]
            for face in here.tolist():
                self.seen.setdefault(face, set()).add(worker)
                right = self.rng.random() < self.skill(worker, blind)[int(self.good[face])]
                self.rows.append((face, worker, int(self.good[face] == right), blind))

    def fit(self) -> frozenset[int]:
        """Who is asked as long as there are others: not who tells nothing or overlooks."""
        right = self.skills()
        return frozenset(np.flatnonzero(tells(right) & ~overlooks(right)).tolist())

    def skill(self, worker: int, blind: int) -> tuple[float, float]:
        bad, good = CROWD[worker]
        if not (blind and self.sought) or worker == len(CROWD) - 1:
            return bad, good
        return good, bad if self.found is None else self.found

    def answers(self, *kinds: int) -> Answers:
        table = np.array([row for row in self.rows if row[3] in kinds], dtype=np.intp)
        pages, names = np.arange(len(table), dtype=np.intp), tuple("abcdef")
        made = Answers(table[:, 0], table[:, 1], pages, table[:, 2] > 0, np.full(FACES, np.nan), names)
        return replace(made, sought=(table[:, 3] > 0) & self.sought)

    def skills(self) -> NDArray[np.float64]:
        everything, model = self.answers(0, 1), np.where(self.kept, 4.0, -4.0)
        return skills(everything, hear(everything, np.arange(FACES, dtype=np.intp), model), model)

    def settled(self) -> Settled:
        right = self.skills()
        faces, _, _, blind = np.array(self.rows, dtype=np.intp).T
        votes = np.bincount(faces[blind > 0], minlength=FACES)
        return settle(self.answers(1), right, self.kept, votes >= len(CROWD))

    def proof(self) -> Proof:
        """Teach, draw at random, ask, ask again what is open."""
        order = self.rng.permutation(FACES)
        self.ask(order[:TAUGHT], 12, blind=0)
        self.ask(order[TAUGHT:][:AUDITED], 24, blind=1)
        for _ in CROWD:
            found = self.settled()
            votes = np.bincount([row[0] for row in self.rows if row[3]], minlength=FACES)
            self.ask(np.flatnonzero(found.open & (votes < len(CROWD))), 1, blind=1)
        found = self.settled()
        kinds = [found.asked & (self.kept == kind) for kind in (False, True)]
        noticing = min(1 - float(found.missed[kind].mean()) for kind in kinds)
        return Proof(AUDITED, int(found.wrong.sum()), noticing, FACES, unsettled=int(found.open.sum()))


def test_the_bound_holds_in_95_of_100_sets_with_auditors_who_err() -> None:
    cases = [(0.005, None), (0.01, True), (0.01, False), (0.03, None)]
    proofs = [(wrong, Audit(seed, wrong, only).proof()) for wrong, only in cases for seed in range(SETS)]
    assert sum(wrong <= proof.bound for wrong, proof in proofs) >= 95


def test_the_bound_holds_where_good_faces_are_marked_and_auditors_overlook_them() -> None:
    """In half of the sets all who find nine bad faces in ten find six good ones in ten, as nobody could know before."""
    cases = [(0.005, None), (0.01, True), (0.01, False), (0.02, True)]
    proofs = [
        (wrong, Audit(seed, wrong, only, True, 0.6 if seed % 2 else None).proof())
        for wrong, only in cases
        for seed in range(SETS)
    ]
    assert sum(wrong <= proof.bound for wrong, proof in proofs) >= 95


def test_an_audit_that_has_good_faces_marked_proves_more_with_fewer_votes() -> None:
    """One in eight is good: what is overlooked is the rare kind then, and few faces are suspected for nothing."""
    both = [[Audit(seed, 0.0, None, sought) for seed in range(10)] for sought in (False, True)]
    usual, sought = (sorted(audit.proof().bound for audit in audits) for audits in both)
    assert sought[5] < 0.01 < usual[5]
    fewer, more = (sum(row[3] for audit in audits for row in audit.rows) for audits in reversed(both))
    assert fewer < 0.9 * more


def test_the_slips_of_auditors_do_not_widen_the_bound() -> None:
    """One vote in ten was against a right decision, and the bound said 4 % where one in ten thousand was wrong."""
    bounds = sorted(Audit(seed, 0.0).proof().bound for seed in range(15))
    assert bounds[len(bounds) // 2] < 0.014
    assert bounds[0] < 0.01
