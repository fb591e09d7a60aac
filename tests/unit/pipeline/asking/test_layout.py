"""Which kind of page, which faces on one, for what pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from galloway.curation.store import WorkTime
from galloway.curation.types import Face, FaceId, PageKind, Question, Side
from galloway.pipeline.asking.groups import overlap, stand_together
from galloway.pipeline.asking.layout import BatchPlan, Layout, lay_out, page_reward
from galloway.pipeline.asking.needs import Need
from galloway.pipeline.asking.pace import pace_of
from galloway.pipeline.workspace.settings import AskSettings
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faces import make_face

BOTH = (Question.USABLE, Question.IDENTITY)
ASKED = {Side.A: BOTH, Side.B: BOTH}


def layout(**changes: Any) -> Layout:
    values: dict[str, Any] = {
        "settings": AskSettings(faces_per_hit=24),
        "asked": ASKED,
        "photographed": frozenset(Side),
    }
    return Layout(**(values | changes))


def need(faces: list[Face], question: Question = Question.USABLE, **changes: Any) -> Need:
    values: dict[str, Any] = {"round": 1, "votes": 3, "excluded": frozenset()}
    return Need(faces[0].side, question, faces=tuple(faces), **(values | changes))


def together(*groups: list[Face]) -> dict[FaceId, FaceId]:
    return {face.face_id: group[0].face_id for group in groups for face in group}


FACES = [make_face(number) for number in range(30)]
GROUPS = together(FACES[:5], FACES[5:19], FACES[19:22])


def asked(plans: list[BatchPlan]) -> dict[PageKind, int]:
    return {plan.page: len(plan.need.faces) for plan in plans}


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, PageKind.BOTH),
        ({"photographed": frozenset()}, PageKind.QUALITY),
        ({"asked": {Side.A: (Question.USABLE,)}}, PageKind.USABLE),
    ],
)
def test_one_look_for_both_where_a_picture_of_the_person_exists(changes: Mapping[str, Any], kind: PageKind) -> None:
    assert asked(lay_out(need(FACES), layout(**changes))) == {kind: 30}


def test_groups_of_four_and_more_come_as_groups_and_the_rest_singly() -> None:
    plans = lay_out(need(FACES), layout(groups=GROUPS))
    assert asked(plans) == {PageKind.CLUSTER: 19, PageKind.BOTH: 11}
    (page,) = plans[0].pages
    assert page.groups == (1,) * 5 + (2,) * 7 + (3,) * 7, "no group is larger than an odd face is seen in"
    assert page.faces[:5] == tuple(face.face_id for face in FACES[:5])
    assert plans[1].pages[0].groups == ()


def test_a_round_that_teaches_is_dealt_out_to_several_workers_on_pages_that_are_no_smaller_than_six() -> None:
    sizes = {
        count: [len(page.faces) for page in lay_out(need(FACES[:count]), layout(seen_by=4))[0].pages]
        for count in (5, 12, 22, 30)
    }
    assert sizes == {5: [5], 12: [6, 6], 22: [5, 6, 5, 6], 30: [7, 8, 7, 8]}
    many = [make_face(number) for number in range(200)]
    assert max(len(page.faces) for page in lay_out(need(many), layout(seen_by=4))[0].pages) <= 24


def test_so_is_a_group_that_is_answered_at_once() -> None:
    plan = lay_out(need(FACES[:12]), layout(seen_by=4, groups=together(FACES[:12])))[0]
    assert plan.page is PageKind.CLUSTER
    assert [page.groups for page in plan.pages] == [(1,) * 6, (1,) * 6]


def test_identity_alone_is_asked_in_groups_first_and_beside_a_picture_later() -> None:
    once = lay_out(need(FACES, Question.IDENTITY), layout(groups=GROUPS))
    assert asked(once) == {PageKind.MERGE: 19, PageKind.IDENTITY: 11}
    assert asked(lay_out(need(FACES, Question.IDENTITY, round=2), layout(groups=GROUPS))) == {PageKind.PAIR: 30}


def test_audits_and_later_rounds_are_asked_singly() -> None:
    for changes in ({"audit": True}, {"round": 2}):
        plans = lay_out(need(FACES, **changes), layout(groups=GROUPS))
        assert asked(plans) == {PageKind.BOTH: 30}


def test_a_share_of_the_groups_is_shown_mixed() -> None:
    mixed = frozenset({FACES[5].face_id})
    plans = lay_out(need(FACES), layout(groups=GROUPS, mixed=mixed))
    assert asked(plans) == {PageKind.CLUSTER: 5, PageKind.BOTH: 25}
    places = [place for place, face in enumerate(plans[1].pages[0].faces) if GROUPS.get(face) in mixed]
    assert places != list(range(places[0], places[0] + len(places))), "scattered among the others"


@given(st.integers(1, 120), st.integers(1, 60), st.floats(0, 0.5), st.lists(st.integers(1, 40), max_size=6))
def test_every_face_is_on_exactly_one_page_and_no_page_is_over_full(
    faces: int, per_hit: int, share: float, sizes: list[int]
) -> None:
    settings = AskSettings(faces_per_hit=per_hit)
    members = [make_face(number) for number in range(faces)]
    parts, start = [], 0
    for size in sizes:
        parts.append(members[start : start + size])
        start += size
    known = {(Side.B, Question.USABLE): [make_face(1000 + number).face_id for number in range(5)]}
    groups = together(*(part for part in parts if part))
    plans = lay_out(need(members), layout(settings=settings, gold=known, gold_share=share, groups=groups))
    pages = [page for plan in plans for page in plan.pages]
    found = [face for page in pages for face in page.faces if face not in page.gold]
    assert sorted(found) == sorted(face.face_id for face in members)
    assert all(len(page.faces) <= per_hit for page in pages)
    assert all(not page.groups or len(page.groups) == len(page.faces) for page in pages)
    singles = [len(page.faces) - len(page.gold) for page in pages if not page.groups]
    assert not singles or max(singles) - min(singles) <= 1


def test_smaller_pages_are_paid_in_proportion_and_rounded_up() -> None:
    settings = AskSettings(reward=Decimal("0.15"), faces_per_hit=24)
    assert page_reward(24, settings) == Decimal("0.15")
    assert page_reward(5, settings) == Decimal("0.04")
    assert page_reward(1, AskSettings(reward=Decimal("0.01"))) == Decimal("0.01")


def test_the_wage_stays_and_the_price_follows_the_measured_time() -> None:
    settings = AskSettings(reward=Decimal("0.24"), faces_per_hit=24, seconds_per_face=Decimal("2"))
    (plan,) = lay_out(need(FACES[:24]), layout(settings=settings, pace={PageKind.BOTH: 1.0}))
    assert (plan.reward, plan.seconds) == (Decimal("0.12"), 24)
    (plan,) = lay_out(need(FACES[:24]), layout(settings=settings, pace={PageKind.CLUSTER: 1.0}))
    assert (plan.reward, plan.seconds) == (Decimal("0.24"), 48), "that is the pace of another kind of page"


def test_pace_is_what_the_middle_worker_needs_and_nothing_before_five_pages() -> None:
    times = [WorkTime("both:face", f"W{number % 3}", 24.0 * (1 + number % 3), 24) for number in range(6)]
    times += [WorkTime("cluster:1", "W1", 5.0, 10)]
    assert pace_of(times, AskSettings()) == {PageKind.BOTH: 2.0}
    lunch = [WorkTime("pair:face", "W1", 3600.0, 2)] * 5
    assert pace_of(lunch, AskSettings()) == {PageKind.PAIR: 8.0}, "four times the setting at most"


# Which faces stand together


def moving(number: int, frame: int, x: int, *, source: str = "clip") -> Face:
    return replace(make_face(number, source=source), frame_number=frame, box=(x, 10, 40, 40))


def test_faces_at_one_place_in_following_frames_are_a_track() -> None:
    left = [moving(number, number + 1, 10 + 4 * number) for number in range(5)]
    right = [moving(10 + number, number + 1, 200) for number in range(5)]
    elsewhere = moving(20, 3, 18, source="other")
    found = stand_together([*left, *right, elsewhere], {})
    assert len({found[face.face_id] for face in left}) == 1
    assert len({found[face.face_id] for face in right}) == 1
    assert len(set(found.values())) == 3


def test_a_track_may_miss_a_frame_and_ends_where_the_face_jumps() -> None:
    every_third = [moving(number, 1 + 3 * number, 10) for number in (0, 1, 3)]
    jumped, late = moving(8, 13, 120), moving(9, 40, 10)
    found = stand_together([*every_third, jumped, late], {})
    assert len({found[face.face_id] for face in every_third}) == 1
    assert len(set(found.values())) == 3


def test_near_copies_stand_together_and_order_does_not_matter() -> None:
    faces = [moving(number, number * 50, number * 60) for number in range(1, 6)]
    twins = {faces[3].face_id: faces[1].face_id, faces[0].face_id: FaceId("f" * 32)}
    found = stand_together(faces, twins)
    assert found[faces[3].face_id] == found[faces[1].face_id]
    assert len(set(found.values())) == 4
    assert stand_together(faces[::-1], twins) == found


def test_overlap() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1.0
    assert overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 10, 10)) == 0.0


@pytest.mark.parametrize("changes", [{"audit": True}, {"round": 2}])
def test_where_most_are_bad_the_good_ones_are_marked(changes: dict[str, Any]) -> None:
    assert asked(lay_out(need(FACES, sought=True, **changes), layout(groups=GROUPS))) == {PageKind.FIND: 30}
    alone = layout(photographed=frozenset())
    assert asked(lay_out(need(FACES, sought=True, **changes), alone)) == {PageKind.QUALITY: 30}
