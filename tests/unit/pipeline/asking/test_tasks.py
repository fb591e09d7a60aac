"""The HIT pages and what their answers mean."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser

import pytest
from galloway.curation.types import LABELS, REASONS, Question, Side
from galloway.mturk.requester.errors import BadAnswer
from galloway.pipeline.asking.tasks import (
    Example,
    TileAnswer,
    choices_for,
    describe,
    elapsed_seconds,
    parse_answers,
    reasons_for,
    render_hit,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tasks import grid_task

KINDS = [(question, side) for question in Question for side in Side]


class _Form(HTMLParser):
    """Collects the inputs, labels and ids of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inputs: list[dict[str, str | None]] = []
        self.forms: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("input", "textarea"):
            self.inputs.append(dict(attrs))
        if tag == "form":
            self.forms.append(dict(attrs))


@pytest.mark.parametrize(("question", "side"), KINDS)
def test_every_face_offers_every_choice_and_none_is_preselected(question: Question, side: Side) -> None:
    form = _Form(render_hit(grid_task(question, side, 3)))
    for key in ("t00", "t01", "t02"):
        tiles = [item for item in form.inputs if item["name"] == f"face.{key}"]
        assert [item["value"] for item in tiles] == [choice.value for choice in choices_for(question, side)]
    assert not [item for item in form.inputs if "checked" in item]


@pytest.mark.parametrize(("question", "side"), KINDS)
def test_forty_eight_faces_with_sixty_character_links_fit(question: Question, side: Side) -> None:
    url = "https://" + "x" * 52
    tiles = [(f"{number:016d}", url) for number in range(48)]
    page = render_hit(grid_task(question, side, tiles=tiles, references=[url] * 5))
    assert len(page.encode()) + 500 < 65_535


def test_one_form_posts_to_the_market_with_placeholders_and_loads_nothing_else() -> None:
    page = render_hit(grid_task())
    form = _Form(page)
    assert [item["action"] for item in form.forms] == ["${turkSubmitTo}/mturk/externalSubmit"]
    assert form.forms[0]["method"] == "post"
    hidden = {item["name"]: item["value"] for item in form.inputs if item.get("type") == "hidden"}
    assert hidden == {"assignmentId": "${assignmentId}", "elapsed": ""}
    assert "link" not in form.tags
    assert "src=" not in page.split("<script", 1)[1]
    assert "<!--galloway:pause-->" in page


def test_the_sides_are_asked_different_things() -> None:
    side_a = render_hit(grid_task(side=Side.A))
    side_b = render_hit(grid_task(side=Side.B))
    assert "reject:blurred" not in side_a
    assert "reject:blurred" in side_b
    assert "also blurred ones" in side_a
    assert "only the good examples" in side_b
    assert reasons_for(Side.A) == ("not_a_face", "another_person", "bad_crop")
    assert reasons_for(Side.B) == REASONS


def test_pay_time_and_hourly_wage_are_shown() -> None:
    page = render_hit(grid_task(reward=Decimal("0.2"), seconds=120))
    assert "<b>$0.20</b>" in page
    assert "<b>2 minutes</b>" in page
    assert "$6.00 an hour" in page


def test_everything_from_outside_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    task = grid_task(
        Question.IDENTITY,
        title=hostile,
        instructions=hostile,
        references=[hostile],
        tiles=[("t", hostile)],
        examples=[Example(hostile, "same", hostile)],
    )
    assert render_hit(task).count("<script") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiles": []}, "at least one face"),
        ({"tiles": [("a", "u"), ("a", "v")]}, "same key"),
        ({"references": [], "question": Question.IDENTITY}, "reference photograph"),
    ],
)
def test_a_task_that_cannot_be_asked_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_hit(grid_task(**changes))  # type: ignore[arg-type]


def test_title_fits_the_market() -> None:
    for question, side in KINDS:
        text = describe(question, side)
        assert len(text.title) <= 128
        assert len(text.description) <= 2000


def test_answers_become_labels_with_reasons() -> None:
    answers = {"face.t00": "keep", "face.t01": "reject:blurred", "face.t02": "skip", "comment": "x"}
    assert parse_answers(grid_task(side=Side.B), answers) == [
        TileAnswer("t00", "keep", None),
        TileAnswer("t01", "reject", "blurred"),
    ]


def test_the_rest_counts_only_when_confirmed_and_never_for_skipped_faces() -> None:
    task = grid_task()
    marked = {"face.t00": "skip", "face.t01": "reject:bad_crop"}
    assert [answer.key for answer in parse_answers(task, marked)] == ["t01"]
    assert [answer.key for answer in parse_answers(task, marked | {"rest": "skip"})] == ["t01"]
    assert parse_answers(task, marked | {"rest": "keep"}) == [
        TileAnswer("t01", "reject", "bad_crop"),
        TileAnswer("t02", "keep", None, True),
        TileAnswer("t03", "keep", None, True),
    ]


@pytest.mark.parametrize(
    "answers",
    [
        {"face.t00": "perhaps"},
        {"face.t00": "reject"},
        {"face.t00": "reject:blurred"},
        {"face.zz": "keep"},
        {"rest": "same"},
    ],
)
def test_answers_that_were_not_offered_are_refused(answers: dict[str, str]) -> None:
    with pytest.raises(BadAnswer):
        parse_answers(grid_task(side=Side.A), answers)


@given(data=st.data())
def test_what_is_answered_is_what_is_read(data: st.DataObject) -> None:
    question, side = data.draw(st.sampled_from(KINDS))
    task = grid_task(question, side, 5)
    values = [choice.value for choice in choices_for(question, side)]
    given_values = data.draw(st.dictionaries(st.sampled_from([key for key, _ in task.tiles]), st.sampled_from(values)))
    read = parse_answers(task, {f"face.{key}": value for key, value in given_values.items()})
    assert {answer.key: ":".join(part for part in (answer.label, answer.reason) if part) for answer in read} == {
        key: value for key, value in given_values.items() if value != "skip"
    }
    assert all(answer.label in LABELS[question] for answer in read)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("41500", 41.5), ("", None), ("-5", None), ("0", None), ("abc", None), ("٣", None), ("99999999999", None)],
)
def test_elapsed_is_believed_only_when_possible(text: str, seconds: float | None) -> None:
    assert elapsed_seconds({"elapsed": text}) == seconds
