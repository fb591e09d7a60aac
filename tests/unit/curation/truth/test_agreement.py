"""Agreement figures against hand-worked and published examples."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from galloway.curation.truth import VotesTable
from galloway.curation.truth.agreement import (
    Agreement,
    Interval,
    fleiss_kappa,
    krippendorff_alpha,
    krippendorff_alpha_interval,
    label_agreements,
    overall_agreement,
    pairwise_agreement,
    reading_of,
    unanimous_share,
)
from hypothesis import given, settings
from hypothesis import strategies as st

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
    [(0.9, "Reliable"), (0.7, "tentative"), (0.3, "not much"), (-0.1, "chance"), (math.nan, "agree in 60%.")],
)
def test_alpha_is_put_in_words_after_what_is_seen(alpha: float, word: str) -> None:
    said = reading_of(Agreement(0.6, 0.4, 0, 0.5), Interval(alpha, alpha, alpha), "face", "keep")
    assert said.startswith("Two voters on the same face agree in 60%.")
    assert word in said


def test_without_two_votes_on_a_task_nothing_is_said_of_agreement() -> None:
    votes = table("ann t yes", "ann u no")
    found = overall_agreement(votes)
    assert math.isnan(found.share)
    assert "no two voters" in reading_of(found, krippendorff_alpha_interval(votes, seed=0), "task", "yes")


def gwets_example() -> VotesTable:
    """Two raters, 125 tasks, 118 both yes, 7 differ, none both no (Gwet 2008, the kappa paradox)."""
    pairs = [("y", "y")] * 118 + [("y", "n")] * 5 + [("n", "y")] * 2
    return table(*(f"{who} t{task} {pair[who == 'b']}" for task, pair in enumerate(pairs) for who in "ab"))


def test_ac1_keeps_its_meaning_where_one_answer_is_nearly_universal() -> None:
    votes = gwets_example()
    found = overall_agreement(votes)
    assert found.share == pytest.approx(118 / 125)
    assert found.ac1 == pytest.approx(0.9408, abs=1e-4)
    assert krippendorff_alpha(votes) < 0
    said = reading_of(found, krippendorff_alpha_interval(votes, seed=0), "task", "y")
    assert "agree in 94%" in said
    assert "no better than chance" not in said.lower()
    assert "often differ" not in said


def test_each_label_says_how_often_it_is_shared() -> None:
    no, yes = label_agreements(gwets_example())
    assert (no.again, yes.again) == (0.0, pytest.approx(236 / 243))
    assert no.share == pytest.approx(7 / 250)
    assert yes.ac1 == pytest.approx(0.9408, abs=1e-4)


@settings(max_examples=40)
@given(rows=rows_strategy(), order=st.randoms(use_true_random=False))
def test_agreement_does_not_depend_on_the_order_of_rows(rows: list[tuple[str, str, str]], order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (overall_agreement(VotesTable.from_rows(given_rows)) for given_rows in (rows, shuffled))
    assert one.share == pytest.approx(other.share, nan_ok=True)
    assert one.ac1 == pytest.approx(other.ac1, nan_ok=True)
