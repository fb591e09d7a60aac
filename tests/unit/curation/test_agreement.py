"""Agreement figures against hand-worked and published examples."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from galloway.curation.agreement import (
    fleiss_kappa,
    krippendorff_alpha,
    krippendorff_alpha_interval,
    pairwise_agreement,
    reading_of_alpha,
    unanimous_share,
)
from galloway.curation.truth import VotesTable
from hypothesis import given, settings

from tests.support.votes import rows_strategy, table

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units.


def krippendorffs_example() -> VotesTable:
    grid = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    rows = [
        (f"observer{who}", f"unit{unit}", label)
        for who, line in enumerate(grid)
        for unit, label in enumerate(line.split())
        if label != "."
    ]
    return VotesTable.from_rows(rows)


def test_alpha_of_krippendorffs_own_example() -> None:
    assert krippendorff_alpha(krippendorffs_example()) == pytest.approx(0.743, abs=0.0005)


def test_kappa_of_fleiss_1971_as_worked_in_textbooks() -> None:
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    rows = []
    for unit, line in enumerate(counts):
        labels = [label for label, size in enumerate(line) for _ in range(size)]
        rows += [(f"w{who}", f"t{unit}", f"l{label}") for who, label in enumerate(labels)]
    assert fleiss_kappa(VotesTable.from_rows(rows)) == pytest.approx(0.210, abs=0.0005)


@settings(max_examples=60)
@given(rows=rows_strategy())
def test_alpha_is_one_minus_observed_over_expected_disagreement_of_pairs(rows: list[tuple[str, str, str]]) -> None:
    by_task: dict[str, list[str]] = {}
    for _, task, label in rows:
        by_task.setdefault(task, []).append(label)
    units = [labels for labels in by_task.values() if len(labels) > 1]
    flat = [label for labels in units for label in labels]
    differing = sum(a != b for a, b in combinations(flat, 2))
    alpha = krippendorff_alpha(VotesTable.from_rows(rows))
    if not differing:
        assert math.isnan(alpha)
        return
    observed = sum(2 * sum(a != b for a, b in combinations(u, 2)) / (len(u) - 1) for u in units) / len(flat)
    expected = 2 * differing / (len(flat) * (len(flat) - 1))
    assert alpha == pytest.approx(1 - observed / expected)


def test_the_bootstrap_interval_holds_alpha_and_repeats_with_its_seed() -> None:
    votes = krippendorffs_example()
    interval = krippendorff_alpha_interval(votes, seed=1, draws=400)
    assert interval.low < interval.value < interval.high
    assert interval == krippendorff_alpha_interval(votes, seed=1, draws=400)


def test_figures_without_comparable_votes_are_nan() -> None:
    votes = table("ann t yes", "ann u no")
    assert math.isnan(krippendorff_alpha(votes))
    assert math.isnan(fleiss_kappa(votes))
    assert math.isnan(unanimous_share(votes))
    assert math.isnan(krippendorff_alpha_interval(votes, seed=0).low)


def test_unanimous_share_looks_only_at_tasks_with_two_votes() -> None:
    assert unanimous_share(table("a t1 y", "b t1 y", "a t2 y", "b t2 n", "a t3 y")) == 0.5


def test_pairwise_agreement_counts_meetings_and_matches() -> None:
    pairs = pairwise_agreement(table("a t1 y", "b t1 y", "a t2 y", "b t2 n", "c t3 y"))
    assert pairs.together.tolist() == [[2, 2, 0], [2, 2, 0], [0, 0, 1]]
    assert pairs.share[0, 1] == 0.5
    assert math.isnan(pairs.share[0, 2])


@pytest.mark.parametrize(
    ("alpha", "word"),
    [(0.9, "Reliable"), (0.7, "tentative"), (0.3, "Low"), (-0.1, "chance"), (math.nan, "Not defined")],
)
def test_alpha_is_put_in_words(alpha: float, word: str) -> None:
    assert word in reading_of_alpha(alpha)
