"""Cutting a film into moments, and choosing which to ask: laws of pure functions."""

from __future__ import annotations

from fractions import Fraction

from galloway.pipeline.judging.moments import FrameDoubt, beside, cut, page_of, sampled
from galloway.pipeline.judging.verdicts import Page
from hypothesis import given
from hypothesis import strategies as st

RATE = Fraction(24)


def doubts(*runs: tuple[int, str]) -> list[FrameDoubt]:
    """Runs of so many frames in which a measure is noticeable; "" is calm."""
    found: list[FrameDoubt] = []
    for count, name in runs:
        found += [FrameDoubt(len(found) + n + 1, name or "colour", 2.0 if name else 0.2) for n in range(count)]
    return found


@given(
    st.lists(st.tuples(st.integers(1, 120), st.sampled_from(["", "identity", "jitter", "colour"])), max_size=12),
    st.sampled_from([Fraction(12), Fraction(24000, 1001), Fraction(60)]),
)
def test_every_frame_is_in_one_moment_of_at_most_two_seconds(runs: list[tuple[int, str]], rate: Fraction) -> None:
    moments = cut(doubts(*runs), rate)
    frames = [number for moment in moments for number in range(moment.first, moment.last + 1)]
    assert frames == list(range(1, sum(count for count, _ in runs) + 1))
    assert all(moment.frames <= rate * 2 for moment in moments)
    assert [moment.number for moment in moments] == list(range(1, len(moments) + 1))


def test_a_suspicious_stretch_is_a_moment_of_its_own() -> None:
    moments = cut(doubts((40, ""), (20, "jitter"), (40, "")), RATE)
    assert [(item.first, item.last) for item in moments if item.why] == [(38, 63)], "with an eighth of a second around"


def test_a_blink_is_not_lost_and_a_gap_of_a_frame_does_not_cut() -> None:
    moments = cut(doubts((40, ""), (2, "identity"), (1, ""), (2, "identity"), (40, "")), RATE)
    assert [item.why for item in moments].count("identity") == 1
    (found,) = [item for item in moments if item.why]
    assert found.first <= 41
    assert found.last >= 45


def test_two_measures_are_two_moments() -> None:
    moments = cut(doubts((24, "identity"), (24, "jitter")), RATE)
    assert [(item.why, page_of(item)) for item in moments] == [("identity", Page.COMPARE), ("jitter", Page.CLIP)]


def test_frames_that_were_not_swapped_cut_moments() -> None:
    found = [item for item in doubts((20, "")) if item.frame not in range(8, 12)]
    assert [(item.first, item.last) for item in cut(found, RATE)] == [(1, 7), (12, 20)]


def test_the_sample_is_of_calm_moments_and_stays() -> None:
    moments = cut(doubts((480, ""), (48, "jitter"), (480, "")), RATE)
    drawn = sampled(moments, "film", 0.1)
    assert drawn == sampled(moments, "film", 0.1)
    assert len(drawn) == 2
    assert not any(moment.why for moment in drawn)
    assert drawn != sampled(moments, "other film", 0.1)


def test_the_neighbours_of_what_fails_are_asked() -> None:
    moments = cut(doubts((480, "")), RATE)
    assert [item.number for item in beside(moments, {3: True, 8: False})] == [2, 4]
    assert beside(moments, {3: True, 2: False, 4: True}) == [moments[4]]
