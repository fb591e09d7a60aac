"""What a requester's page lacks, and reading lists as AWS's templates write them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from galloway.mturk.marketplace import pages
from galloway.mturk.marketplace.rules.pages import CROWD_ELEMENTS, check_page, lenient_json
from galloway.mturk.marketplace.rules.questions import with_form
from hypothesis import given
from hypothesis import strategies as st

LOADER = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'


def test_the_check_and_the_script_know_the_same_elements() -> None:
    script = (Path(pages.__file__).parent / "static" / "crowd" / "form.js").read_text(encoding="utf-8")
    drawn = set(re.findall(r"'(crowd-[a-z-]+)':", script.partition("function form")[0]))
    assert drawn | {"crowd-form"} == CROWD_ELEMENTS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a', \"b's\", 'c\\'d',]", ["a", "b's", "c'd"]),
        ("[{label: 'x', 'shortDisplay': 'y'}]", [{"label": "x", "shortDisplay": "y"}]),
        ('["a"]', ["a"]),
        ("cats, dogs", None),
        ("['don't know']", None),
        ("{{ task.input.labels | to_json }}", None),
    ],
)
def test_lists_are_read_as_they_are_written(text: str, value: object) -> None:
    assert lenient_json(text) == value


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_is_read_as_json(value: object) -> None:
    assert lenient_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("html", "impossible", "doubtful"),
    [
        ("<form><input name=a></form>", "", ""),
        ("<p>x</p>", "", "has no form"),
        ("<p>x</p><script>make()</script>", "", ""),
        ("<form><input name=assignmentId></form>", "", "no field with a name"),
        ("<form action='https://my.example/save'><input name=a></form>", "", "sent to my.example"),
        ("<form action='https://my.example/mturk/externalSubmit'><input name=a></form>", "", ""),
        (f"{LOADER}<crowd-form><crowd-magic></crowd-magic></crowd-form>", "<crowd-magic> is not supported", ""),
        (f"{LOADER}<crowd-form><crowd-classifier></crowd-classifier></crowd-form>", "has no categories", ""),
        (f"{LOADER}<crowd-classifier></crowd-classifier><script>x</script>", "", "has no categories"),
        ("<crowd-form><crowd-input name=a></crowd-input></crowd-form>", "", "does not load"),
    ],
)
def test_what_a_page_lacks(html: str, impossible: str, doubtful: str) -> None:
    found = check_page(html)
    for said, wanted in ((found.impossible, impossible), (found.doubtful, doubtful)):
        assert bool(said) == bool(wanted)
        assert wanted in " ".join(said)


def test_variables_of_a_template_are_not_judged() -> None:
    html = f'{LOADER}<crowd-form><crowd-classifier categories="${{choices}}"></crowd-classifier></crowd-form>'
    assert check_page(html, template=True).impossible == ()
    assert check_page(html).impossible != ()


def test_a_fragment_gets_a_form_and_a_page_keeps_its_own() -> None:
    assert with_form("<form>x</form>") == "<form>x</form>"
    assert with_form("<crowd-form></crowd-form>") == "<crowd-form></crowd-form>"
    assert with_form("<p>x</p>").endswith(
        '<p>x</p><p><input type="submit" id="submitButton" value="Submit"></p></form>'
    )
    assert "submitButton" not in with_form("<p>x</p><input type='submit'>")
    assert "submitButton" in with_form("<button type='button'>Help</button>")
    page = with_form("<html><head><title>t</title></head><body class=x><p>y</p></body></html>")
    assert page.startswith("<html><head><title>t</title></head><body class=x><form") and page.endswith("</body></html>")


def test_buttons_that_a_script_uses_for_answers_do_not_send_the_page() -> None:
    """Pages with one button an answer, whose script keeps them from sending: they had no way to be sent."""
    answers = "<button class=option>Yes</button><button class=option>No</button><input type=hidden name=a>"
    assert "submitButton" not in with_form("<button>Send it</button><input name=a>")
    assert "submitButton" in with_form(f"{answers}<script>document.onclick = stop</script>")
    assert "submitButton" in with_form(answers.replace("class=option", "onclick='pick(this)'"))
    assert "submitButton" not in with_form(f"{answers}<script></script><button type = 'submit'>Go</button>")
    assert "submitButton" not in with_form(f"{answers}<script></script><input type=image src=go.png>")
