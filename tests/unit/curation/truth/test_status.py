"""What a task's votes amount to: a person looks where most could not tell, and a lone vote decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isnan, nan

import numpy as np
import pandas as pd
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.report import QuestionData, build_tables, no_thumbnails
from galloway.curation.truth import METHOD_NAMES, VotesTable, aggregate

SURE = [(worker, f"sure {number}", "yes" if number % 2 else "no") for number in range(30) for worker in "abcde"]


def answered(*rows: tuple[str, str, str]) -> VotesTable:
    """Votes on tasks of which thirty are beyond doubt."""
    return VotesTable.from_rows([*SURE, *rows]).without_labels({"unsure"})


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize(
    ("labels", "status"),
    [
        (("yes", "unsure", "unsure"), "disputed"),
        (("yes", "yes", "unsure", "unsure"), "disputed"),
        (("yes", "yes", "yes", "unsure", "unsure"), "decided"),
        (("yes", "unsure"), "decided"),
        (("unsure",), "undecided"),
    ],
)
def test_a_task_of_which_most_could_not_tell_is_for_a_person(method: str, labels: Sequence[str], status: str) -> None:
    votes = answered(*((worker, "one", label) for worker, label in zip("abcde", labels, strict=False)))
    assert aggregate(votes, method=method).status[votes.task_names.index("one")] == status
    gold = aggregate(votes, method=method, gold={"one": "yes"})
    assert gold.status[votes.task_names.index("one")] == "decided"


LONE = VotesTable.from_rows([(f"w{number % 3}", f"t{number}", "yes" if number % 4 else "no") for number in range(60)])


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_one_vote_a_task_decides_nothing_where_nothing_shows_who_is_right(method: str) -> None:
    truth = aggregate(LONE, method=method)
    assert set(truth.status) == {"undecided"}
    assert isnan(truth.expected_error)
    assert truth.labels()["t1"] == "yes", "what was said of it is still told"
    assert "decided" in set(aggregate(LONE, method=method, gold={"t0": "no"}).status)
    assert set(aggregate(LONE, method=method, single_votes_decide=True).status) >= {"decided"}


@pytest.mark.parametrize("prior", [[0, 0], [0.5, nan], [-0.5, 1.5], [[0.5, 0.5]] * 59 + [[0, 0]]])
def test_a_prior_that_holds_no_probabilities_is_refused(prior: list[float]) -> None:
    with pytest.raises(VotesError, match="The prior holds no probabilities"):
        aggregate(LONE, prior=np.array(prior))


def test_known_answers_go_by_the_text_of_a_tasks_name() -> None:
    frame = pd.DataFrame({"worker": ["a", "b", "c"], "task": [1, 1, 2], "label": ["no", "no", "yes"]})
    assert aggregate(frame, gold={1: "yes"}).labels()["1"] == "yes"  # type: ignore[dict-item]


def test_the_report_gives_no_error_for_one_vote_a_task() -> None:
    data = QuestionData.from_truth("label", aggregate(LONE), np.full(60, -1, dtype=np.int32))
    text = build_tables("votes", [data], datetime(2026, 5, 1, tzinfo=UTC), thumbnails=no_thumbnails).to_text()
    assert "independently" not in text
