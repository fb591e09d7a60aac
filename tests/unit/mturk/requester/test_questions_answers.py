"""Question XML is well formed for any page; answer XML is read for any answer."""

import json
import re

import defusedxml.ElementTree
import pytest
from galloway.mturk.requester.answers import MAX_ANSWER_BYTES, parse_answer
from galloway.mturk.requester.errors import BadAnswer, MTurkError, QuestionTooLarge
from galloway.mturk.requester.questions import MAX_QUESTION_BYTES, external_question, html_question, question_digest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mturk import answer_xml

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=200)


@given(_TEXT)
def test_any_page_survives_the_xml(text: str) -> None:
    page = f"<form>{text}]]>&amp;</form>"
    root = defusedxml.ElementTree.fromstring(html_question(page, 450))
    assert root.tag.endswith("HTMLQuestion")
    # XML reads every line end as \n.
    expected = _FORBIDDEN.sub("", page).replace("\r\n", "\n").replace("\r", "\n")
    assert root[0].text == expected
    assert root[1].text == "450"


def test_page_without_a_form_is_refused() -> None:
    with pytest.raises(MTurkError, match="no <form>"):
        html_question("<p>formless</p>")
    assert "crowd-form" in html_question("<crowd-form></crowd-form>")


def test_size_counts_bytes_not_characters() -> None:
    frame = len(html_question("<form></form>").encode())
    room = MAX_QUESTION_BYTES - frame
    assert len(html_question(f"<form>{'x' * room}</form>").encode()) == MAX_QUESTION_BYTES
    with pytest.raises(QuestionTooLarge, match=r"65,53[67]"):
        html_question(f"<form>{'x' * (room - 1)}ü</form>")


def test_external_url_is_escaped() -> None:
    root = defusedxml.ElementTree.fromstring(external_question("https://example.org/?a=1&tx=2"))
    assert root[0].text == "https://example.org/?a=1&tx=2"


def test_digest_tells_pages_apart() -> None:
    assert question_digest("a") != question_digest("b")
    assert len(question_digest("a")) == 64


@given(st.dictionaries(st.from_regex(r"[a-z.]{1,20}", fullmatch=True), _TEXT, max_size=10))
def test_reads_what_the_market_writes(answers: dict[str, str]) -> None:
    clean = {
        name: _FORBIDDEN.sub("", value).replace("\r\n", "\n").replace("\r", "\n") for name, value in answers.items()
    }
    assert parse_answer(answer_xml(answers)) == clean


def test_joins_repeated_names_and_selections() -> None:
    xml = (
        "<QuestionFormAnswers><Answer><QuestionIdentifier>a</QuestionIdentifier><FreeText>1</FreeText></Answer>"
        "<Answer><QuestionIdentifier>a</QuestionIdentifier><FreeText>2</FreeText></Answer>"
        "<Answer><QuestionIdentifier>b</QuestionIdentifier><SelectionIdentifier>x</SelectionIdentifier>"
        "<SelectionIdentifier>y</SelectionIdentifier><OtherSelectionText>z</OtherSelectionText></Answer>"
        "<Answer><FreeText>nameless</FreeText></Answer></QuestionFormAnswers>"
    )
    assert parse_answer(xml) == {"a": "1|2", "b": "x|y|z"}


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "not xml",
        "<Other/>",
        "<QuestionFormAnswers>",
        '<!DOCTYPE a [<!ENTITY b "c">]><QuestionFormAnswers>&b;</QuestionFormAnswers>',
        "<QuestionFormAnswers/>" + " " * MAX_ANSWER_BYTES,
    ],
)
def test_unreadable_answers(xml: str) -> None:
    with pytest.raises(BadAnswer):
        parse_answer(xml)


def test_the_one_answer_of_a_crowd_page_is_read_field_by_field() -> None:
    fields = {
        "kind": {"label": "Dog"},
        "what": {"labels": ["a", "b"]},
        "where": "garden",
        "size": {"big": False, "small": True},
        "many": ["x", "y"],
        "marks": {"keypoints": []},
    }
    text = json.dumps([fields])
    answer = f"<Answer><QuestionIdentifier>taskAnswers</QuestionIdentifier><FreeText>{text}</FreeText></Answer>"
    assert parse_answer(f"<QuestionFormAnswers>{answer}</QuestionFormAnswers>") == {
        "kind": "Dog",
        "what": "a|b",
        "where": "garden",
        "size": "small",
        "many": "x|y",
        "marks": '{"keypoints": []}',
        "taskAnswers": text,
    }
    broken = answer.replace(text, "[1")
    assert parse_answer(f"<QuestionFormAnswers>{broken}</QuestionFormAnswers>") == {"taskAnswers": "[1"}
