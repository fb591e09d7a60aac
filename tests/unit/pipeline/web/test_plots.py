"""Plots: what is drawn stands for what is there."""

from __future__ import annotations

import re

import pytest
from galloway.pipeline.web.plots import loss_plot, stacked_bar, thin
from hypothesis import given
from hypothesis import strategies as st

POINTS = st.lists(st.tuples(st.integers(0, 10**6).map(float), st.floats(0, 50)), max_size=1500)


@given(POINTS)
def test_thinning_keeps_means_within_bounds(points: list[tuple[float, float]]) -> None:
    few = thin(points)
    assert len(few) <= 360
    assert (len(few) == 0) == (len(points) == 0)
    if points:
        values = [y for _, y in points]
        assert all(min(values) - 1e-9 <= y <= max(values) + 1e-9 for _, y in few)


@given(POINTS, POINTS)
def test_lines_stay_inside_the_picture(side_a: list[tuple[float, float]], side_b: list[tuple[float, float]]) -> None:
    svg = str(loss_plot(sorted(side_a), sorted(side_b)))
    for text in re.findall(r'<polyline[^>]*points="([^"]*)"', svg):
        for pair in text.split():
            x, y = map(float, pair.split(","))
            assert 56 <= x <= 708
            assert 14 <= y <= 266


def test_no_losses_no_plot() -> None:
    assert loss_plot([], []) == ""
    assert loss_plot([(5.0, 0.2)], []).count("<circle") == 1


def test_the_plot_says_where_it_stands() -> None:
    svg = loss_plot([(1.0, 0.5), (100.0, 0.04)], [(1.0, 0.6), (100.0, 0.05)])
    assert 'aria-label="Loss by iteration, now side A 0.0400, side B 0.0500"' in svg


@pytest.mark.parametrize(("counts", "parts"), [([], 0), ([("a", 0)], 0), ([("a", 3), ("b", 0), ("c", 1)], 2)])
def test_bar_has_a_part_for_each_share(counts: list[tuple[str, int]], parts: int) -> None:
    assert stacked_bar(counts).count("<rect") == parts


def test_bar_widths_are_shares() -> None:
    widths = re.findall(r'width="([0-9.]+)"', stacked_bar([("approved", 3), ("rejected", 1)]))
    assert widths == ["75.000", "25.000"]
