"""Signs in how pages were worked through: haste, evenness, times played again, pages answered alike. Pure.

Each is a reason to look, never a verdict: nobody is rejected, paid less or shut out for one of these alone. What they
are made of is stored anyway: when a page was accepted and handed in, how long it was looked at, and what was answered.
No movement of a mouse, no key, no address, no browser is kept for it (docs/checks.md tells workers the same).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from math import log, pi, sqrt
from statistics import median, variance
from typing import Protocol

from scipy.special import chdtr, ndtr, pdtrc

from ...curation.types import PageKind

__all__ = ["MEASURED", "Page", "Sign", "signs"]

_A_LOOK = 0.2
"""Seconds a face below which nobody looks at each and moves a hand."""
_FEW, _SOME = 2, 6
_LEAST_SPREAD = 0.18
"""So much, as a share, the times of one person's like pages spread at least."""
_CHANCE, _RARELY = 0.001, 0.0001
"""So seldom chance alone makes a sign; the second where one coincidence is easily had."""
_BY_HEART = 0.03
"""On such a share of the faces two who do not know of each other err alike."""
_ALIKE, _SHARED_PAGES, _THIRDS = 8, 4, 3
_COMPARED, _MATTERS, _CLUMPED = 72, 0.1, 1.4
"""So many faces are compared with earlier and later answers, and so much less agreement with the later ones matters;
faces of one page go together, so that a page of them tells less than as many alone would."""
_STEPS = (1000, 100, 10, 1)
MEASURED = (
    "how long each page was looked at, and how evenly",
    "whether the same times come again to the millisecond",
    "whether two people answer the same pages alike, where others do not",
    "whether answers agree with earlier ones and not with later ones",
)
"""What is compared, in words for workers."""


class Page(Protocol):
    """One page that a worker handed in: see `pages.DonePage`."""

    @property
    def worker_id(self) -> str: ...
    @property
    def page(self) -> str: ...
    @property
    def kind(self) -> PageKind: ...
    @property
    def faces(self) -> int: ...
    @property
    def milliseconds(self) -> int | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def submitted_at(self) -> datetime: ...
    @property
    def said(self) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Sign:
    """What was noticed of a worker (`kind`), the evidence in a sentence for the requester, and `told`: the same for the
    worker."""

    kind: str
    evidence: str
    told: str


def signs(pages: Iterable[Page], blind: Collection[str] = ()) -> dict[str, tuple[Sign, ...]]:
    """Worker → the signs in all pages that were handed in; workers without one are left out. Who is known to answer
    without looking (`blind`) says nothing of others."""
    own: dict[str, list[Page]] = defaultdict(list)
    for page in pages:
        own[page.worker_id].append(page)
    found: dict[str, list[Sign]] = {
        worker: [sign for sign in (_instant(mine), _even(mine), _again(mine)) if sign is not None]
        for worker, mine in own.items()
    }
    answers = _by_page(own)
    usual = _Usual(answers, blind)
    for worker, sign in [*_alike(answers, usual), *_follows(answers, usual)]:
        found[worker].append(sign)
    return {worker: tuple(told) for worker, told in found.items() if told}


def _instant(pages: Sequence[Page]) -> Sign | None:
    """Half of the pages, two at least, took less than a glance a face; groups are answered at once and do not count."""
    a_face = sorted(page.seconds / page.faces for page in pages if not page.kind.grouped and page.faces)
    if len(a_face) < _FEW or median(a_face) >= _A_LOOK:
        return None
    evidence = f"Half of {len(a_face)} pages took {median(a_face):.2f} s a face or less; a look takes {_A_LOOK} s."
    return Sign("instant", evidence, "Half of your pages were handed in faster than each face can be looked at.")


def _even(pages: Sequence[Page]) -> Sign | None:
    """Pages of one kind whose times, a face, spread less than a person's ever do (χ² of the logarithms' variance)."""
    kinds: dict[PageKind, list[float]] = defaultdict(list)
    for page in pages:
        if page.seconds > 0 and page.faces:
            kinds[page.kind].append(log(page.seconds / page.faces))
    for times in kinds.values():
        count = len(times)
        if count < _SOME:
            continue
        spread = variance(times)
        if chdtr(count - 1, (count - 1) * spread / _LEAST_SPREAD**2) < _CHANCE:
            return Sign(
                "even",
                f"{count} pages took the same time but for {sqrt(spread):.1%}; people's times spread by more than "
                f"{_LEAST_SPREAD:.0%}.",
                "Your pages took almost exactly the same time, one like the other.",
            )
    return None


def _again(pages: Sequence[Page]) -> Sign | None:
    """The same times to the millisecond, oftener than chance among times that spread like these. Browsers that round
    what they tell are taken at their own steps."""
    times = [page.milliseconds for page in pages if page.milliseconds]
    if len(times) < _SOME:
        return None
    step = next(size for size in _STEPS if all(time % size == 0 for time in times))
    count = sum(one * (one - 1) // 2 for one in Counter(times).values())
    spread = max(sqrt(variance(times)) / step, 1.0)
    expected = len(times) * (len(times) - 1) / 2 / (2 * sqrt(pi) * spread)
    if count < _FEW or pdtrc(count - 1, expected) > _RARELY:
        return None
    exact = "the millisecond" if step == 1 else f"{step} ms"
    return Sign(
        "times again",
        f"{count} pairs among {len(times)} pages took the same time to {exact}; chance explains {expected:.2f}.",
        "The times of some of your pages are the same to the millisecond.",
    )


@dataclass(slots=True)
class _Pair:
    """What is counted of two workers: same answers against a third one, their own differences, what chance explains; on
    how many pages, and against whom."""

    same: int = 0
    apart: int = 0
    chance: float = 0.0
    pages: int = 0
    thirds: set[str] = field(default_factory=set)

    def shows(self, pairs: float) -> bool:
        """Whether no chance explains it, among so many pairs. One page or one third who errs proves nothing."""
        if self.pages < _SHARED_PAGES or len(self.thirds) < _THIRDS or self.same < _ALIKE or 4 * self.apart > self.same:
            return False
        return bool(pairs * pdtrc(self.same - 1, self.chance) <= _CHANCE)


_Answers = Mapping[str, Mapping[str, str]]
"""Worker → face → answer, the earliest first: what was said of one page."""


def _by_page(own: Mapping[str, Sequence[Page]]) -> dict[str, _Answers]:
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for page in sorted((page for mine in own.values() for page in mine), key=lambda page: page.submitted_at):
        found[page.page].setdefault(page.worker_id, dict(page.said))
    return dict(found)


@dataclass(slots=True)
class _Met:
    """Answers of a worker beside those of others: the same, of how many faces, and how many were expected the same by
    what is usual with those others."""

    same: int = 0
    faces: int = 0
    expected: float = 0.0

    @property
    def share(self) -> float:
        return self.same / self.faces

    @property
    def more(self) -> float:
        """By which share more is the same than usual."""
        return (self.same - self.expected) / self.faces


def _follows(by_page: Mapping[str, _Answers], usual: _Usual) -> list[tuple[str, Sign]]:
    """Who agrees with those who answered a page before, and much less with those who answered after: answers that
    were got from others, not from the pictures. For who looks for themselves, before and after are the same."""
    before: dict[str, _Met] = defaultdict(_Met)
    after: dict[str, _Met] = defaultdict(_Met)
    for answers in by_page.values():
        for early, late in combinations(answers, 2):
            faces = answers[early].keys() & answers[late].keys()
            same = sum(answers[early][face] == answers[late][face] for face in faces)
            for met, other in ((after[early], late), (before[late], early)):
                if other not in usual.blind:
                    met.same += same
                    met.faces += len(faces)
                    met.expected += len(faces) * (1 - usual.differs(other, early, late))
    found = []
    for worker in before.keys() & after.keys():
        first, then = before[worker], after[worker]
        if min(first.faces, then.faces) < _COMPARED or first.more - then.more < _MATTERS:
            continue
        pooled = (first.expected + then.expected) / (first.faces + then.faces)
        spread = sqrt(_CLUMPED * max(pooled * (1 - pooled), 1e-9) * (1 / first.faces + 1 / then.faces))
        if ndtr(-(first.more - then.more) / spread) * len(before) <= _CHANCE:
            found.append((worker, _followed(first, then)))
    return found


def _followed(first: _Met, then: _Met) -> Sign:
    evidence = (
        f"Agrees with those who answered the same pages before on {first.share:.0%} of {first.faces} faces, with those "
        f"who answered after on {then.share:.0%} of {then.faces}."
    )
    told = "Your answers agree with those that others gave before you, and much less with those given after."
    return Sign("follows others", evidence, told)


def _alike(by_page: Mapping[str, _Answers], usual: _Usual) -> list[tuple[str, Sign]]:
    """Two who say the same of the same pages where a third says otherwise, oftener than that one errs elsewhere."""
    pairs: dict[tuple[str, str], _Pair] = defaultdict(_Pair)
    for answers in by_page.values():
        for left, right in combinations(sorted(answers), 2):
            for third in answers.keys() - {left, right} - usual.blind:
                faces = answers[left].keys() & answers[right].keys() & answers[third].keys()
                pair = pairs[left, right]
                pair.apart += sum(answers[left][face] != answers[right][face] for face in faces)
                pair.same += sum(answers[left][face] == answers[right][face] != answers[third][face] for face in faces)
                pair.chance += len(faces) * (usual.errs(third, left, right) + _BY_HEART)
                pair.pages += 1
                pair.thirds.add(third)
    crowd = len({worker for answers in by_page.values() for worker in answers})
    many = max(crowd * (crowd - 1) / 2, 1)
    found = []
    for both, pair in pairs.items():
        if pair.shows(many):
            found += [(worker, _same_answers(pair)) for worker in both]
    return found


def _same_answers(pair: _Pair) -> Sign:
    evidence = (
        f"Says the same as another worker {pair.same} times where a third one says otherwise, and something else than "
        f"that worker {pair.apart} times; what the third ones err elsewhere explains {pair.chance:.1f}."
    )
    told = "Your answers are the same as another person's on the same pages, where others answered otherwise."
    return Sign("same answers", evidence, told)


class _Usual:
    """How often each worker says something else than others do, on pages that two given workers did not both answer.
    Who answers without looking is not compared with."""

    def __init__(self, by_page: Mapping[str, _Answers], blind: Collection[str]) -> None:
        self.blind = frozenset(blind)
        self._pages: dict[str, set[str]] = defaultdict(set)
        self._differ: dict[tuple[str, str], tuple[int, int]] = {}
        self._all: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for page, answers in by_page.items():
            for worker, mine in answers.items():
                self._pages[worker].add(page)
                others = [said for other, said in answers.items() if other != worker and other not in blind]
                met = [(mine[face], said[face]) for said in others for face in mine.keys() & said.keys()]
                counted = sum(one != other for one, other in met), len(met)
                self._differ[worker, page] = counted
                self._all[worker][0] += counted[0]
                self._all[worker][1] += counted[1]
        met_at_all = sum(there for _, there in self._all.values())
        self.half = sum(less for less, _ in self._all.values()) / (2 * met_at_all) if met_at_all else 0.0

    def differs(self, worker: str, left: str, right: str) -> float:
        """The share, drawn towards one in ten where little is known."""
        differ, met = self._all[worker]
        for page in self._pages[worker] & self._pages[left] & self._pages[right]:
            less, there = self._differ[worker, page]
            differ, met = differ - less, met - there
        return (differ + 2) / (met + 20)

    def errs(self, worker: str, left: str, right: str) -> float:
        """The share that is the worker's own: two who differ share what they err, and others err as most do."""
        differs = self.differs(worker, left, right)
        return max(differs - self.half, differs / 4)
