"""The integer-coded table."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.truth import VotesTable, code_gold, vote_counts
from galloway.curation.types import Question

from tests.support.votes import table, vote


def test_a_second_vote_of_a_worker_on_a_task_is_counted_and_left_out() -> None:
    votes = table("ann t1 yes", "ann t1 no", "bob t1 yes", "ann t2 no")
    assert (len(votes), votes.repeated) == (3, 1)
    assert vote_counts(votes).tolist() == [[0.0, 2.0], [1.0, 0.0]]


def test_labels_of_a_question_are_there_without_votes_and_other_questions_stay_out() -> None:
    votes = VotesTable.from_votes(
        [vote("f1", "ann", "keep"), vote("f1", "bob", "same", question=Question.IDENTITY)], Question.USABLE
    )
    assert votes.label_names == ("keep", "reject")
    assert (votes.n_tasks, votes.n_workers) == (1, 1)


def test_gold_names_a_label_that_nobody_knows() -> None:
    with pytest.raises(VotesError, match="'maybe' for task 't1'"):
        code_gold(table("ann t1 yes", "bob t1 no"), {"t1": "maybe"})


def test_gold_on_tasks_without_votes_is_ignored() -> None:
    assert code_gold(table("ann t1 yes", "bob t1 no"), {"t9": "yes"}).tolist() == [-1]


def test_codes_must_have_equal_length_and_not_be_negative() -> None:
    with pytest.raises(VotesError, match="differ in length"):
        VotesTable.from_codes([0], [0, 1], [0])
    with pytest.raises(VotesError, match="negative"):
        VotesTable.from_codes([0], [0], [-1])


def test_an_empty_table_has_no_tasks() -> None:
    votes = VotesTable.from_rows([])
    assert (len(votes), votes.n_tasks, votes.n_labels) == (0, 0, 0)


def test_codes_are_int32() -> None:
    votes = VotesTable.from_codes(np.arange(3), np.zeros(3), [0, 1, 1])
    assert {votes.workers.dtype, votes.tasks.dtype, votes.labels.dtype} == {np.dtype(np.int32)}
