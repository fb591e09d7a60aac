"""The HIT pages and what their answers mean."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser

import pytest
from galloway.curation.types import LABELS, REASONS, Question, Side
from galloway.mturk.requester.errors import BadAnswer
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import (
    Example,
    Meaning,
    PageKind,
    Picture,
    Tile,
    TileAnswer,
    choices_for,
    elapsed_seconds,
    meanings,
    parse_answers,
    reasons_for,
    rest_for,
)
from galloway.pipeline.asking.words import describe
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tasks import grid_task

KINDS = [(page, side) for page in PageKind for side in Side]
GRIDS = [(page, side) for page, side in KINDS if not page.grouped]


class _Form(HTMLParser):
    """Collects the inputs, lists of answers and forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inputs: list[dict[str, str | None]] = []
        self.forms: list[dict[str, str | None]] = []
        self.answers: dict[str, list[str]] = {}
        self.tags: list[str] = []
        self.chosen: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag in ("input", "textarea"):
            self.inputs.append(values)
        if tag == "form":
            self.forms.append(values)
        if tag == "select":
            self.answers[values["name"] or ""] = []
        if tag == "option":
            self.answers[list(self.answers)[-1]].append(values["value"] or "")
        if "checked" in values or "selected" in values:
            self.chosen.append(values)


@pytest.mark.parametrize(("page", "side"), KINDS)
def test_every_face_offers_every_choice_and_none_is_preselected(page: PageKind, side: Side) -> None:
    form = _Form(render_hit(grid_task(page, side, 3)))
    offered = ["", *(choice.value for choice in choices_for(page, side))]
    groups = {"group.1": offered} if page.grouped else {}
    assert form.answers == {f"face.t0{number}": offered for number in range(3)} | groups
    assert form.chosen == []
    confirmed = [item["value"] for item in form.inputs if item["name"] == "rest"]
    assert confirmed == [rest_for(page)[0], "skip"]


def test_a_page_that_is_opened_again_shows_what_was_answered() -> None:
    marked = {"face.t01": "reject:bad_crop", "group.2": "keep", "rest": "skip"}
    form = _Form(render_hit(grid_task(PageKind.CLUSTER, marked=marked)))
    assert [item["value"] for item in form.chosen] == ["reject:bad_crop", "keep", "skip"]


@pytest.mark.parametrize(("page", "side"), KINDS)
def test_forty_eight_faces_with_sixty_character_links_fit(page: PageKind, side: Side) -> None:
    url = "https://" + "x" * 52
    tiles = [Tile(f"{number:016d}", url, url, number // 4 + 1) for number in range(48)]
    document = render_hit(grid_task(page, side, tiles=tiles, references=[Picture(url, url)] * 5))
    assert len(document.encode()) + 500 < 65_535


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
    side_a, side_b = (render_hit(grid_task(PageKind.USABLE, side)) for side in Side)
    assert "reject:blurred" not in side_a
    assert "reject:blurred" in side_b
    assert "also blurred ones" in side_a
    assert "only the good examples" in side_b
    assert reasons_for(Side.A) == ("not_a_face", "another_person", "bad_crop")
    assert reasons_for(Side.B) == REASONS


@pytest.mark.parametrize("page", [page for page in PageKind if Question.USABLE in page.questions])
def test_side_a_keeps_a_covered_face_and_says_that_it_is(page: PageKind) -> None:
    assert "keep:covered" in {choice.value for choice in choices_for(page, Side.A)}
    assert "keep:covered" not in {choice.value for choice in choices_for(page, Side.B)}
    use, *who = meanings(page, "keep:covered")
    assert use == Meaning(Question.USABLE, "keep", "covered")
    assert who == list(meanings(page, "keep"))[1:], "it is the right person all the same"


@pytest.mark.parametrize("side", list(Side))
def test_without_a_picture_of_the_person_nothing_asks_for_the_person(side: Side) -> None:
    page = render_hit(grid_task(PageKind.QUALITY, side))
    text = describe(PageKind.QUALITY, side)
    seen = page.partition("</style>")[2].split("<script")[0]
    for said in (seen, text.title, text.description):
        assert "person" not in said.lower()
    assert "reject:another_person" not in [choice.value for choice in choices_for(PageKind.QUALITY, side)]
    with pytest.raises(ValueError, match="reference photograph"):
        render_hit(grid_task(PageKind.BOTH, side, references=[]))


def test_pay_time_and_hourly_wage_are_shown() -> None:
    page = render_hit(grid_task(reward=Decimal("0.2"), seconds=120))
    assert "<b>$0.20</b>" in page
    assert "<b>2 minutes</b>" in page
    assert "$6.00 an hour" in page
    assert "You are paid" not in render_hit(grid_task(reward=Decimal(0)))


def test_everything_from_outside_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    task = grid_task(
        PageKind.IDENTITY,
        title=hostile,
        instructions=hostile,
        references=[Picture(hostile, hostile)],
        tiles=[Tile("t", hostile, hostile)],
        examples=[Example(hostile, "same", hostile)],
    )
    assert render_hit(task).count("<script") == 2, "the words, and the script"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiles": []}, "at least one face"),
        ({"tiles": [Tile("a", "u"), Tile("a", "v")]}, "same key"),
        ({"tiles": [Tile("a b", "u")]}, "letters, digits"),
        ({"references": [], "page": PageKind.IDENTITY}, "reference photograph"),
    ],
)
def test_a_task_that_cannot_be_asked_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_hit(grid_task(**changes))  # type: ignore[arg-type]


def test_title_fits_the_market() -> None:
    for page, side in KINDS:
        text = describe(page, side)
        assert len(text.title) <= 128
        assert len(text.description) <= 2000


def test_answers_become_labels_with_reasons() -> None:
    answers = {"face.t00": "keep", "face.t01": "reject:blurred", "face.t02": "skip", "comment": "x"}
    assert parse_answers(grid_task(side=Side.B), answers) == [
        TileAnswer("t00", "keep"),
        TileAnswer("t01", "reject:blurred"),
    ]


BOTH = [
    ("keep", [("usable", "keep", None), ("identity", "same", None)]),
    ("reject:another_person", [("usable", "reject", "another_person"), ("identity", "different", None)]),
    ("reject:not_a_face", [("usable", "reject", "not_a_face")]),
    ("reject:blurred", [("usable", "reject", "blurred")]),
    ("cannot_tell", [("usable", "keep", None), ("identity", "cannot_tell", None)]),
    ("skip", []),
]


@pytest.mark.parametrize(("value", "votes"), BOTH)
@pytest.mark.parametrize("page", [PageKind.BOTH, PageKind.CLUSTER, PageKind.FIND])
def test_one_look_is_votes_on_both_questions(page: PageKind, value: str, votes: list[tuple[str, str, str]]) -> None:
    assert [(item.question.value, item.label, item.reason) for item in meanings(page, value)] == votes


def test_a_page_of_one_question_gives_votes_on_that_alone() -> None:
    for page, side in KINDS:
        for choice in choices_for(page, side):
            for said in meanings(page, choice.value):
                assert said.question in page.questions
                assert said.label in LABELS[said.question]
    assert [item.question for item in meanings(PageKind.USABLE, "reject:another_person")] == [Question.USABLE]


def test_the_rest_counts_only_when_confirmed_and_never_for_skipped_faces() -> None:
    task = grid_task()
    marked = {"face.t00": "skip", "face.t01": "reject:bad_crop"}
    assert [answer.key for answer in parse_answers(task, marked)] == ["t01"]
    assert [answer.key for answer in parse_answers(task, marked | {"rest": "skip"})] == ["t01"]
    assert parse_answers(task, marked | {"rest": "keep"}) == [
        TileAnswer("t01", "reject:bad_crop"),
        TileAnswer("t02", "keep", "rest"),
        TileAnswer("t03", "keep", "rest"),
    ]


def test_where_good_faces_are_marked_the_rest_is_rejected_for_no_named_reason() -> None:
    said = parse_answers(grid_task(PageKind.FIND), {"face.t01": "keep", "rest": "reject"})
    assert [(item.key, item.value, item.by) for item in said if item.key != "t01"] == [
        (key, "reject", "rest") for key in ("t00", "t02", "t03")
    ]
    assert meanings(PageKind.FIND, "reject") == (Meaning(Question.USABLE, "reject"),)
    with pytest.raises(BadAnswer, match="`rest` is 'keep'"):
        parse_answers(grid_task(PageKind.FIND), {"rest": "keep"})


def test_a_groups_answer_stands_for_all_of_it_but_the_odd_ones() -> None:
    task = grid_task(PageKind.CLUSTER, faces=8)  # groups of three, three and two
    answers = {"group.1": "keep", "face.t01": "reject:another_person", "group.2": "skip", "face.t05": "keep"}
    assert parse_answers(task, answers | {"rest": "keep"}) == [
        TileAnswer("t00", "keep", "1"),
        TileAnswer("t01", "reject:another_person"),
        TileAnswer("t02", "keep", "1"),
        TileAnswer("t05", "keep"),
        TileAnswer("t06", "keep", "rest"),
        TileAnswer("t07", "keep", "rest"),
    ]


@pytest.mark.parametrize(
    "answers",
    [
        {"face.t00": "perhaps"},
        {"face.t00": "reject"},
        {"face.t00": "reject:blurred"},
        {"face.zz": "keep"},
        {"rest": "same"},
        {"group.1": "keep"},
    ],
)
def test_answers_that_were_not_offered_are_refused(answers: dict[str, str]) -> None:
    with pytest.raises(BadAnswer):
        parse_answers(grid_task(side=Side.A), answers)


@pytest.mark.parametrize("answers", [{"group.9": "keep"}, {"group.1": "reject:blurred"}, {"group.": "keep"}])
def test_groups_that_are_not_on_the_page_are_refused(answers: dict[str, str]) -> None:
    with pytest.raises(BadAnswer):
        parse_answers(grid_task(PageKind.CLUSTER), answers)


@given(data=st.data())
def test_what_is_answered_is_what_is_read(data: st.DataObject) -> None:
    page, side = data.draw(st.sampled_from(KINDS))
    task = grid_task(page, side, 5)
    values = [choice.value for choice in choices_for(page, side)]
    given_values = data.draw(
        st.dictionaries(st.sampled_from([tile.key for tile in task.tiles]), st.sampled_from(values))
    )
    read = parse_answers(task, {f"face.{key}": value for key, value in given_values.items()})
    assert {answer.key: answer.value for answer in read} == {
        key: value for key, value in given_values.items() if value != "skip"
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("41500", 41.5), ("", None), ("-5", None), ("0", None), ("abc", None), ("٣", None), ("99999999999", None)],
)
def test_elapsed_is_believed_only_when_possible(text: str, seconds: float | None) -> None:
    assert elapsed_seconds({"elapsed": text}) == seconds
