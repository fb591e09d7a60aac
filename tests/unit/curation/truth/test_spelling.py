"""Labels that are the same thing, abstentions, and text that a spreadsheet would compute."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.report import QuestionData
from galloway.curation.spreadsheet import csv_text, neutral, restored
from galloway.curation.truth import VotesTable, aggregate
from galloway.curation.truth.adaptive import Action, Goal, Prices, plan_round
from galloway.curation.truth.files import read_votes, write_decisions
from galloway.curation.truth.spelling import spelling_of
from galloway.curation.types import Question
from hypothesis import given
from hypothesis import strategies as st

from tests.support.votes import vote

COMPOSED, APART = "caf\u00e9", "cafe\u0301"


def counted(*labels: str, exact: bool = False) -> dict[str, str]:
    return dict(spelling_of({label: labels.count(label) for label in labels}, exact=exact).label)


@pytest.mark.parametrize(
    ("written", "one"),
    [
        (("keep", "keep", "Keep", " KEEP"), "keep"),
        (("1", "1.0", "1"), "1"),
        (("TRUE", "true", "True", "true"), "true"),
        ((COMPOSED, APART), COMPOSED),
        (("not  sure", "Not sure", "not sure"), "not sure"),
        (("blur|other", "other|blur", "blur|other"), "blur|other"),
    ],
)
def test_labels_that_are_the_same_are_one(written: tuple[str, ...], one: str) -> None:
    assert set(counted(*written).values()) == {one}


def test_true_is_one_only_where_both_ways_are_used_for_the_same_two() -> None:
    assert set(counted("1", "1.0", "TRUE", "0", "false", "1").values()) == {"1", "0"}
    assert set(counted("true", "2", "1").values()) == {"true", "2", "1"}


def test_what_a_program_wrote_for_nothing_is_no_label_but_none_of_these_may_be() -> None:
    assert counted("NaN", "nan", "None", "NA", "keep") == {"NaN": "", "nan": "", "None": "", "NA": "", "keep": "keep"}
    assert counted("None", "some") == {"None": "None", "some": "some"}


def test_exact_labels_stay_apart_but_for_composed_letters() -> None:
    assert counted("Keep", "keep", APART, exact=True) == {"Keep": "Keep", "keep": "keep", APART: COMPOSED}


@given(st.lists(st.sampled_from(["Keep", "keep", "KEEP", "no", "No", "1", "1.0"]), min_size=1), st.randoms())
def test_the_order_of_rows_does_not_choose_the_spelling(labels: list[str], order: object) -> None:
    shuffled = list(labels)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert counted(*labels) == counted(*shuffled)


def write(folder: Path, *rows: str) -> Path:
    path = folder / "votes.csv"
    path.write_text("worker,task,label\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_joined_labels_are_said(tmp_path: Path) -> None:
    source = read_votes(write(tmp_path, "a,f,keep", "b,f,Keep", "c,f,keep", "d,f,NaN"))
    assert source.votes.label_names == ("keep",)
    assert source.notes[0].startswith("'Keep' counted as 'keep': the same, written differently")
    assert source.notes[1] == "1 row left out: the label says that there is none (NaN)."
    assert read_votes(write(tmp_path, "a,f,keep", "b,f,Keep"), exact=True).votes.n_labels == 2
    exact = read_votes(write(tmp_path, "a,f,keep", "b,f,Keep", "c,f,nan"), exact=True)
    assert (exact.votes.n_labels, exact.notes) == (2, ("1 row left out: the label says that there is none (nan).",))


def test_an_abstention_is_no_answer_in_any_file(tmp_path: Path) -> None:
    rows = ["a,f,yes", "b,f,unsure", "c,f,yes", "a,g,unsure", "b,g,Unsure", "c,h,no"]
    source = read_votes(write(tmp_path, *rows), abstain=("unsure",))
    assert source.votes.label_names == ("no", "yes")
    assert source.votes.task_names == ("f", "g", "h")
    assert "3 votes abstain (unsure): they count for no label." in source.notes
    truth = aggregate(source.votes, method="majority")
    assert truth.labels() == {"f": "yes", "g": None, "h": "no"}
    assert truth.asked.tolist() == [3, 2, 1]
    assert truth.status.tolist() == ["decided", "disputed", "decided"]
    with pytest.raises(VotesError, match="holds abstentions alone"):
        read_votes(write(tmp_path, "a,f,unsure"), abstain=("unsure",))


def test_our_own_questions_know_their_abstention(tmp_path: Path) -> None:
    source = read_votes(write(tmp_path, "a,f,same", "b,f,cannot_tell", "c,f,different", "a,g,cannot_tell"))
    assert source.votes.label_names == ("different", "same")
    assert source.abstentions == {"cannot_tell"}


def test_who_cannot_tell_abstains_on_identity() -> None:
    votes = [
        vote(face, worker, label, question=Question.IDENTITY)
        for face, given_labels in {"f1": ("same", "cannot_tell", "same"), "f2": ("cannot_tell",) * 3}.items()
        for worker, label in zip("abc", given_labels, strict=True)
    ]
    table = VotesTable.from_votes(votes, Question.IDENTITY)
    assert table.label_names == ("same", "different")
    truth = aggregate(table)
    assert truth.labels()["f2"] is None
    assert truth.status.tolist()[1] == "disputed"
    data = QuestionData.from_votes(Question.IDENTITY, votes, [])
    assert len(data.seconds) == len(data.votes) == 2


def test_who_was_asked_and_could_not_tell_is_not_asked_for_ever() -> None:
    rows = [("a", "t", "same"), *((worker, "u", "cannot_tell") for worker in "abcde")]
    votes = VotesTable.from_rows(rows, labels=("same", "different", "cannot_tell")).without_labels({"cannot_tell"})
    planned = plan_round(aggregate(votes), Goal(most_votes=5), Prices(Decimal(1)), seed=0)
    assert planned.actions.tolist() == [Action.ASK, Action.PERSON]


@given(st.text(max_size=20) | st.sampled_from(["=1+1", "'=x", "''+y", "-5", "+3.5", "@a", "-a", "'"]))
def test_text_comes_back_from_a_spreadsheets_csv(text: str) -> None:
    safe = neutral(text)
    assert restored(safe) == text
    assert not safe.startswith(("=", "@", "\t", "\r"))
    assert not (safe.startswith(("+", "-")) and not safe[1:2].isdigit())


def test_formulas_are_neutral_in_what_is_written_and_undone_in_what_is_read(tmp_path: Path) -> None:
    name = "=HYPERLINK(1)"
    assert csv_text(pd.DataFrame({"a": [name, "-1"], "b": [1, 2]})).splitlines() == ["a,b", f"'{name},1", "-1,2"]
    source = read_votes(write(tmp_path, f"ann,{name},@yes", f"bob,{name},@yes"))
    out = tmp_path / "decisions.csv"
    write_decisions(out, aggregate(source.votes, method="majority"))
    assert out.read_text().splitlines()[1].startswith(f"'{name},'@yes,")
    again = read_votes(write(tmp_path, f"ann,'{name},'@yes"))
    assert (again.votes.task_names, again.votes.label_names) == ((name,), ("@yes",))


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_no_spreadsheet_computes_a_cell(start: str) -> None:
    cell = f"{start}HYPERLINK(1)"
    assert neutral(cell) == f"'{cell}" and restored(neutral(cell)) == cell


def test_a_carriage_return_in_a_cell_begins_no_row() -> None:
    """A program that takes it for the end of a row would compute the next cell."""
    text = csv_text(pd.DataFrame({"x": ["kept\r=HYPERLINK(1)"], "n": [3]}))
    assert text == '"x","n"\n"kept\r=HYPERLINK(1)","3"\n'
    assert csv_text(pd.DataFrame({"x": ["kept"], "n": [3]})) == "x,n\nkept,3\n"
