"""Layout: what is asked comes on pages. Which kind of page, which faces on one, for how much. Pure planning.

A face of a side with a picture of the person is asked both questions in one look (`both`); faces that stand together
come as groups that are answered at once (`cluster`), where at least four of them need the same answer. A share of the
groups is shown mixed among other faces all the same, so that it can be measured what standing together does to answers.
Who it is is asked apart where use is settled: in groups (`merge`), one by one, or, where the first round did not settle
it, large beside a picture (`pair`). Audits are asked singly and mixed: a proposal would show in the answers.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_UP, Decimal
from math import ceil

from ...curation.types import Face, FaceId, PageKind, Question, Side
from ..workspace.settings import AskSettings
from .needs import Need

__all__ = [
    "GROUP_FROM",
    "SEEN_BY_SEVERAL",
    "BatchPlan",
    "Layout",
    "PageLayout",
    "lay_out",
    "page_reward",
    "page_seconds",
]

GROUP_FROM = 4
"""From so many faces on, one answer for all saves more than the look at the group costs (docs/worker-site.md)."""
GROUP_MOST = 12
"""A group on a page holds no more: an odd face among dozens is overlooked."""
SEEN_BY_SEVERAL = 4
"""Where a model learns from a round, so many workers should have answered it: what one of them alone said teaches what
that one thinks, and who answers at random is seen only beside others."""
_FEWEST_A_PAGE = 6
"""No page is made smaller for that. On pages of 24, the first round of a small set is one worker's; of 113 to 230 faces
pages of 6 took 0.7 to 0.9 of their votes, 4 and 8 about as many as 6."""
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class PageLayout:
    """The faces of one HIT in the order of its grid; `gold` are those whose answer is known already; `groups` says of
    each face in which group of the page it stands, from 1 (empty: no groups)."""

    faces: tuple[FaceId, ...]
    gold: frozenset[FaceId] = frozenset()
    groups: tuple[int, ...] = ()

    def group_of(self, place: int) -> int:
        """The group of the face at this place; 0 where it stands alone."""
        return self.groups[place] if self.groups else 0


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """One batch before it is frozen: who is asked what, on which pages of what kind, for what pay."""

    need: Need
    page: PageKind
    pages: tuple[PageLayout, ...]
    reward: Decimal
    seconds: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What pages are made by.

    `asked`: the questions of each side; `photographed`: the sides with a picture of the person. `groups`: face → the
    first one of those that stand together; the groups whose first face is in `mixed` are shown mixed. `order` puts like
    faces together; `gold` are each side's faces with a known answer, in the order in which pages take them, and
    `gold_share` of a page's faces are such; `pace` is the measured seconds a face of a kind of page.
    """

    settings: AskSettings
    asked: Mapping[Side, Sequence[Question]]
    photographed: frozenset[Side]
    groups: Mapping[FaceId, FaceId] = field(default_factory=dict)
    mixed: frozenset[FaceId] = frozenset()
    order: Mapping[FaceId, float] = field(default_factory=dict)
    gold: Mapping[tuple[Side, Question], Sequence[FaceId]] = field(default_factory=dict)
    gold_share: float = 0.0
    pace: Mapping[PageKind, float] = field(default_factory=dict)
    seen_by: int = 1

    def per_page(self, faces: int) -> int:
        """How many of so many faces one page holds at most."""
        dealt = faces if self.seen_by <= 1 else max(_FEWEST_A_PAGE, ceil(faces / self.seen_by))
        return min(self.settings.faces_per_hit, dealt)


def lay_out(need: Need, layout: Layout) -> list[BatchPlan]:
    """The batches of a need: one of groups, if there are any, and one of single faces, if any are left."""
    single, grouped = _kinds(need, layout)
    together: list[list[Face]] = []
    alone: list[Face] = list(need.faces)
    if grouped is not None and layout.settings.faces_per_hit >= GROUP_FROM:
        together, alone = _part(need.faces, layout)
    plans = []
    if together and grouped is not None:
        faces = tuple(face for group in together for face in group)
        plans.append(_plan(replace(need, faces=faces), grouped, _pages_of_groups(together, layout), layout))
    if alone:
        plans.append(_plan(replace(need, faces=tuple(alone)), single, _pages(need, alone, layout), layout))
    return plans


def _kinds(need: Need, layout: Layout) -> tuple[PageKind, PageKind | None]:
    """The page on which a need's single faces are asked, and the one for groups where there may be groups."""
    first = need.round == 1 and not need.audit and not need.beside
    if need.question is Question.IDENTITY:
        return (PageKind.IDENTITY, PageKind.MERGE) if first else (PageKind.PAIR, None)
    if need.side not in layout.photographed:
        return PageKind.QUALITY, None
    if Question.IDENTITY not in layout.asked[need.side]:
        return PageKind.USABLE, None
    if need.sought:
        return PageKind.FIND, None
    return PageKind.BOTH, PageKind.CLUSTER if first else None


def _part(faces: Sequence[Face], layout: Layout) -> tuple[list[list[Face]], list[Face]]:
    """The groups that are shown as such, the largest no larger than a page holds; and the faces that stand alone."""
    found: dict[FaceId, list[Face]] = defaultdict(list)
    for face in faces:
        found[layout.groups.get(face.face_id, face.face_id)].append(face)
    most = min(GROUP_MOST, layout.per_page(len(faces)))
    together, alone = [], []
    for leader, members in found.items():
        if len(members) < GROUP_FROM or leader in layout.mixed:
            alone += members
            continue
        members.sort(key=_by_frame)
        parts = ceil(len(members) / most)
        together += [
            members[number * len(members) // parts : (number + 1) * len(members) // parts] for number in range(parts)
        ]
    return together, alone


def _by_frame(face: Face) -> tuple[str, str, int]:
    return face.source, face.source_name, face.face_index


def _pages_of_groups(groups: Sequence[Sequence[Face]], layout: Layout) -> list[PageLayout]:
    """Like groups on one page, as many as it holds."""
    per_page = layout.per_page(sum(map(len, groups)))

    def place(group: Sequence[Face]) -> tuple[float, tuple[str, str, int]]:
        return sum(layout.order.get(face.face_id, 0.0) for face in group) / len(group), _by_frame(group[0])

    pages: list[list[Sequence[Face]]] = []
    for group in sorted(groups, key=place):
        if not pages or sum(map(len, pages[-1])) + len(group) > per_page:
            pages.append([])
        pages[-1].append(group)
    return [
        PageLayout(
            tuple(face.face_id for group in page for face in group),
            groups=tuple(number for number, group in enumerate(page, 1) for _ in group),
        )
        for page in pages
    ]


def _pages(need: Need, alone: Sequence[Face], layout: Layout) -> list[PageLayout]:
    """Pages evenly filled, in the order given (unknown faces by frame); what is to be shown mixed lies scattered.

    Known faces are mixed in, spread over the page by a rule that a worker cannot see; a smaller page has fewer.
    """
    settings = layout.settings
    scattered = {face.face_id for face in alone if layout.groups.get(face.face_id) in layout.mixed}
    if need.audit:
        scattered = {face.face_id for face in alone}
    faces = _scattered(
        sorted(alone, key=lambda face: (layout.order.get(face.face_id, 0.0), _by_frame(face))), scattered
    )
    asked = {face.face_id for face in faces}
    known = [face for face in layout.gold.get((need.side, need.question), ()) if face not in asked]
    extra = min(settings.faces_per_hit - 1, round(layout.gold_share * settings.faces_per_hit)) if known else 0
    room = settings.faces_per_hit - extra
    per_page = max(1, min(room, layout.per_page(len(faces))))
    count = ceil(len(faces) / per_page)
    pages, taken = [], 0
    for number in range(count):
        members = [face.face_id for face in faces[number * len(faces) // count : (number + 1) * len(faces) // count]]
        wanted = _rounded(extra * len(members) / room, members[0])
        mixed = frozenset(known[(taken + step) % len(known)] for step in range(min(wanted, len(known))))
        taken += wanted
        for face in sorted(mixed):
            members.insert(_chance(FaceId(_drawn(face, members[0]))) % (len(members) + 1), face)
        pages.append(PageLayout(tuple(members), mixed))
    return pages


def _drawn(face: FaceId, page: FaceId) -> str:
    """Hex digits that follow from a face and the page on which it comes, so that it stands elsewhere on each."""
    return hashlib.sha256(f"{face}|{page}".encode()).hexdigest()


def _rounded(number: float, page: FaceId) -> int:
    """Up or down by chance, so that small pages have their share in all."""
    part = int(_drawn(FaceId("known"), page)[:8], 16) / 16**8
    return int(number) + (part < number - int(number))


def _scattered(faces: Sequence[Face], among: set[FaceId]) -> list[Face]:
    """The faces in their order, those `among` at places that chance gave them."""
    kept = [face for face in faces if face.face_id not in among]
    for face in sorted((face for face in faces if face.face_id in among), key=lambda face: face.face_id):
        kept.insert(_chance(face.face_id) % (len(kept) + 1), face)
    return kept


def _chance(face: FaceId) -> int:
    """Follows from the face's id: stable across runs, and no pattern from page to page."""
    return int(face[:8], 16)


def _plan(need: Need, kind: PageKind, pages: Sequence[PageLayout], layout: Layout) -> BatchPlan:
    largest = max(len(page.faces) for page in pages)
    pace = layout.pace.get(kind)
    seconds = round(page_seconds(largest, layout.settings, pace)) or 1
    return BatchPlan(need, kind, tuple(pages), page_reward(largest, layout.settings, pace), seconds)


def page_seconds(faces: int, settings: AskSettings, pace: float | None = None) -> float:
    """How long so many faces take: by the measured seconds a face, else by the setting."""
    return faces * (float(settings.seconds_per_face) if pace is None else pace)


def page_reward(faces: int, settings: AskSettings, pace: float | None = None) -> Decimal:
    """The pay of a page, rounded up to the cent.

    `reward` for a full page that takes `seconds_per_face` a face sets the wage; a page is paid by it for the time that
    its kind was measured to take (`pace`, seconds a face), and before anything is measured for that of the setting.
    """
    share = settings.reward * Decimal(faces) / Decimal(settings.faces_per_hit)
    if pace is not None:
        share *= Decimal(str(pace)) / settings.seconds_per_face
    return max(_CENT, share.quantize(_CENT, rounding=ROUND_UP))
