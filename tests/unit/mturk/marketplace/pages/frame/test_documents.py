"""Requesters' HTML as it is served: filled, restored, and otherwise left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from galloway.mturk.marketplace.pages.frame.documents import FrameContext, serve_document
from galloway.mturk.marketplace.pages.frame.sanitize import safe_url, sanitize
from hypothesis import given, settings
from hypothesis import strategies as st

WORKING = FrameContext(
    "3ASSIGN1", "3HIT1", "AWORKER1", "http://frames.test", "http://frames.test/assets", "http://portal.test", False
)
EARLY = '<script src="http://frames.test/assets/early.js"></script>'
PREVIEW = replace(WORKING, assignment_id="ASSIGNMENT_ID_NOT_AVAILABLE", worker_id="", preview=True)


def _body(html: str, context: FrameContext = WORKING) -> str:
    """The document without the script that is always added."""
    page = serve_document(html, context).split('<script src="http://frames.test/assets/frame.js"')[0]
    return page.replace(EARLY, "")


def test_documented_placeholders_are_filled_in_attributes_and_nowhere_else() -> None:
    html = (
        '<form action="${turkSubmitTo}/mturk/externalSubmit"><input type=hidden name=assignmentId '
        'value="${assignmentId}"></form><script>var a = `${assignmentId}`;</script>'
    )
    page = _body(html)
    assert '<form action="http://frames.test/mturk/externalSubmit" method="post">' in page
    assert 'value="3ASSIGN1"' in page
    assert "`${assignmentId}`" in page


def test_the_addresses_of_mechanical_turk_become_ours_everywhere() -> None:
    html = (
        '<form action="https://www.mturk.com/mturk/externalSubmit"></form>'
        '<script>f.action="//workersandbox.mturk.com/mturk/externalSubmit"; host = "https://www.mturk.com"</script>'
    )
    assert _body(html).count("http://frames.test/mturk/externalSubmit") == 2
    assert 'host = "http://frames.test"' in _body(html)
    assert "mturk.com" not in _body(html)


def test_an_empty_assignment_id_field_is_filled() -> None:
    assert 'value="3ASSIGN1"' in _body('<input type="hidden" value="" name="assignmentId" id="assignmentId"/>')


def test_the_two_known_scripts_are_replaced_by_ours() -> None:
    page = _body(
        '<script src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script>'
        '<script src="https://assets.crowd.aws/crowd-html-elements.js" integrity="x"></script>'
        '<script src="https://cdn.example/other.js"></script>'
    )
    assert 'src="http://frames.test/assets/externalHIT_v1.js"' in page
    assert '<script src="http://frames.test/assets/crowd.js">' in page
    assert 'src="https://cdn.example/other.js"' in page


def test_a_form_of_ours_is_posted_with_its_assignment() -> None:
    address = 'action="http://frames.test/mturk/externalSubmit"'
    hidden = '<input type="hidden" name="assignmentId" value="3ASSIGN1">'
    assert _body("<form></form>") == f'<form {address} method="post">{hidden}</form>'
    there = '<form method="get" action="//www.mturk.com/mturk/externalSubmit"><input name=assignmentId value=x></form>'
    assert hidden not in _body(there) and 'method="post"' in _body(there)
    assert _body("<form action='https://else.example/x'></form>") == "<form action='https://else.example/x'></form>"
    assert _body("<form></form><form></form>") == "<form></form><form></form>"


def test_a_preview_says_what_the_page_lacks_and_the_task_does_not() -> None:
    assert "has no form" in serve_document("<p>x</p>", PREVIEW)
    assert "has no form" not in serve_document("<p>x</p>", WORKING)


def test_the_pause_button_is_ours_and_not_in_previews() -> None:
    html = "<form><!--galloway:pause--></form>"
    assert 'formaction="http://frames.test/mturk/draft"' in _body(html)
    assert "<button" not in _body(html, PREVIEW)
    assert ">Save and pause</button>" in _body(html)
    assert ">Speichern und pausieren</button>" in _body(html, replace(WORKING, language="de"))


def test_a_document_brings_along_what_is_said_without_a_connection() -> None:
    assert 'data-offline="You are offline.' in serve_document("<p>x</p>", WORKING)
    assert 'data-offline="Du bist offline.' in serve_document("<p>x</p>", replace(WORKING, language="de"))


def test_nothing_can_be_sent_from_a_preview() -> None:
    page = _body('<input type="submit" value="Go"><button type="submit">Go</button><button>tab</button>', PREVIEW)
    assert page.count("disabled") == 2


def test_a_draft_fills_every_kind_of_field() -> None:
    html = (
        "<input name=t value=old><input type=radio name=r value=1 checked><input type=radio name=r value=2>"
        "<input type=checkbox name=c checked><textarea name=x>old</textarea>"
        "<select name=s><option value=a selected>A<option value=b>B</select><input type=hidden name=h value=keep>"
        "<select name=m multiple><option>one &amp; one<option selected>two\n<option>three</option></select>"
    )
    several = ("one & one", "three")
    draft = {"t": ("<new>",), "r": ("2",), "x": ("</textarea>&",), "s": ("b",), "h": ("changed",), "m": several}
    page = _body(html, replace(WORKING, draft=draft))
    assert 'value="&lt;new&gt;"' in page
    assert '<input type="radio" name="r" value="1">' in page
    assert '<input type="radio" name="r" value="2" checked>' in page
    assert "<textarea name=x>&lt;/textarea&gt;&amp;</textarea>" in page
    assert '<option value="b" selected>' in page
    assert '<option value="a">' in page
    assert "<option selected>one &amp; one<option>two\n<option selected>three</option>" in page
    assert '<input type="checkbox" name="c">' in page
    assert "value=keep" in page


def test_the_script_goes_into_the_body_and_knows_the_assignment() -> None:
    page = serve_document("<html><body><p>x</p></body></html>", WORKING)
    assert page.endswith("</body></html>")
    assert 'data-assignment="3ASSIGN1"' in page
    assert 'data-assignment=""' in serve_document("x", PREVIEW)


@pytest.mark.parametrize(
    "html",
    [
        "{}<p>x",
        "<!DOCTYPE html>{}<p>x",
        "<!doctype html><html lang=en>{}<body>x",
        "<!-- c --><html><head>{}<title>x</title></head></html>",
    ],
)
def test_our_first_script_runs_before_theirs_and_after_the_doctype(html: str) -> None:
    assert serve_document(html.format(""), WORKING).startswith(html.format(EARLY)[: html.index("{}") + len(EARLY)])


@given(st.text(alphabet="<>/=\"' abtn\n&;-!é", max_size=60))
def test_text_without_forms_is_left_byte_for_byte(text: str) -> None:
    assert _body(text) == text


@given(st.text(max_size=80))
def test_sanitised_markup_never_holds_a_script_or_a_handler(text: str) -> None:
    clean = sanitize(f"<p onclick='x'>{text}<script>alert(1)</script><a href='javascript:x'>y</a>")
    assert "<script" not in clean.lower()
    assert "onclick" not in clean.split(">")[0]
    assert "javascript:" not in clean.split("</p>")[0].split("<a")[-1]


FRAGMENTS = [
    "<input name=a value=x>",
    "<textarea name=t>",
    "</textarea>",
    "<select name=s>",
    "<option value=1>",
    "</select>",
    "<!--",
    "-->",
    "<script>",
    "</script>",
    "</body>",
    "<![foo[",
    "<![if x]>",
    "<?x",
    "&#xD800;",
    "<input type=radio name=r value=1 checked/>",
    "\r\n",
    "<head",
    "'",
    '"',
    ">",
    "<!DOCTYPE",
    "</",
    "<a href=",
    "<form action='${turkSubmitTo}'",
    "\x00",
    "<svg/>",
    "text",
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_no_document_is_too_broken_to_be_served(html: str) -> None:
    draft = {"a": ("1",), "t": ("2",), "s": ("1",), "r": ("1",)}
    assert "/frame.js" in serve_document(html, replace(WORKING, draft=draft))
    clean = sanitize(html).lower()
    assert not any(word in clean for word in ("<script", "<svg", "<input", "<form", "<!"))


def test_sanitised_markup_is_closed_and_keeps_text() -> None:
    assert sanitize("<p><b>a</i> <iframe src=x>z</iframe>&lt;") == "<p><b>a &lt;</b></p>"
    assert sanitize('<img src="http://e.org/a.png" onerror="x" alt="q">') == '<img src="http://e.org/a.png" alt="q">'


def test_only_web_addresses_are_safe() -> None:
    assert safe_url(" https://e.org/a") == "https://e.org/a"
    assert safe_url("java\nscript:alert(1)") == ""
    assert safe_url("data:text/html,x") == ""


@pytest.mark.parametrize("letters", ["İ" * 40, "ẞİŉ" * 9, "x"])
@pytest.mark.parametrize("end", ["</body>", "</BODY >", "</body\n>"])
def test_letters_that_change_length_do_not_move_our_script(letters: str, end: str) -> None:
    page = serve_document(f"<html><body><p>{letters}</p>{end}</html>", WORKING)
    assert f"<p>{letters}</p><script src=" in page
    assert page.endswith(f"</script>{end}</html>")


def test_instructions_that_were_read_are_closed() -> None:
    html = "<details open data-once id=how><summary>How</summary></details><details open>Else</details>"
    assert html in _body(html)
    assert _body(html, replace(WORKING, seen=True)).startswith('<details data-once id="how">')
    assert "<details open>Else" in _body(html, replace(WORKING, seen=True))
