"""The worker's site speaks the languages that it names: no text lacks its translation, each page says which it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from galloway.mturk.marketplace import pages as site
from galloway.mturk.marketplace.pages.words import LANGUAGES, said

PAGES = Path(site.__file__).parent
MARKET = PAGES.parent
REFUSALS = {
    "BadForm", "InPreview", "NotEligible", "NotFound", "NothingAvailable", "SignInRefused", "SlowDown", "TooLate",
    "TooManyHeld",
}  # fmt: skip
# What panels and programs hear, not people; and what carries somebody else's words.
NOT_FOR_PEOPLE = {"The signature is wrong.", "The report is too old.", "The report has no X-Event-ID.",
                  "The report is not a JSON object.", "Nothing is listened to here."}  # fmt: skip
# Filled with words, not with numbers: each as it is said.
FILLED = {
    "This HIT %s, so it cannot be submitted; what you wrote is kept.": ("was returned", "ran out of time"),
    "You hold this HIT no more: it is %s.": ("submitted", "approved", "rejected", "returned"),
}
WANTED = ("at least %s", "at most %s", "above %s", "below %s", "exactly %s", "not %s", "held", "not held")
STATES = ("Submitted", "Approved", "Rejected", "Returned", "Abandoned", "Granted", "Revoked", "Pending")
HEADINGS = ("Nothing left here", "That did not work", "Not just now", "There is no such page", "Not allowed",
            "That is too large")  # fmt: skip
WORK = ("/", "/history", "/earnings", "/qualifications", "/messages", "/account", "/account/checks", "/none")


def in_templates() -> Iterator[str | tuple[str, str]]:
    options = {"trimmed": "true", "silent": "false"}
    for room in ("worker", "frame"):
        found = extract_from_dir(
            PAGES / "templates" / room,
            method_map=[("**.html", "jinja2.ext:babel_extract")],
            options_map={"**.html": options},
            keywords={"_": None, "gettext": None, "ngettext": (1, 2)},
        )
        for _file, _line, message, _comments, _context in found:
            yield message if isinstance(message, str) else (message[0], message[1])


def in_rules() -> Iterator[str]:
    """The sentences of refusals, with `%s` for what is filled in."""
    for room in ("desk", "lifecycle", "pages/worker"):
        for file in (MARKET / room).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                called = node.func if isinstance(node, ast.Call) else None
                if isinstance(called, ast.Name) and (called.id in REFUSALS or called.id == "abort"):
                    sentence = node.args[-1 if called.id == "abort" else 0]  # type: ignore[union-attr]
                    yield from (
                        text for text in _texts(sentence) if " " in text and "Please mend" not in text and len(text) > 3
                    )


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "%s" for part in node.values)
        yield re.sub(r"\b\d+\b", "%s", text)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for part in ast.iter_child_nodes(node):
            yield from _texts(part)


def messages() -> set[str | tuple[str, str]]:
    rules = {text for text in in_rules() if text not in NOT_FOR_PEOPLE | set(FILLED)}
    filled = {text % value for text, values in FILLED.items() for value in values}
    return {*in_templates(), *rules, *filled, *STATES, *HEADINGS, *WANTED}


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_no_text_lacks_its_translation(language: str) -> None:
    with (PAGES / "locale" / f"{language}.po").open("rb") as file:
        known = read_po(file, locale=language)
    lacking = [text for text in messages() if not _translated(known.get(text))]
    assert lacking == []
    for message in known:
        for _error in message.check(known):
            pytest.fail(f"{message.id}: {_error}")
        fields = [set(re.findall(r"%\(\w+\)s", part)) for part in _parts(message.string)]
        wanted = set(re.findall(r"%\(\w+\)s", "".join(_parts(message.id))))
        assert all(found == wanted for found in fields), message.id


def _translated(message: object) -> bool:
    return message is not None and not message.fuzzy and all(_parts(message.string))  # type: ignore[attr-defined]


def _parts(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", WORK)
def test_each_page_says_in_which_language_it_is(worker: FlaskClient, path: str) -> None:
    german = worker.get(path, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).text
    assert '<html lang="de">' in german and "Abmelden" in german and "Sign out" not in german
    assert '<html lang="en">' in worker.get(path, headers={"Accept-Language": "fr"}).text


def test_a_choice_stands_above_the_browsers(worker: FlaskClient) -> None:
    chosen = {"language": "de", "theme": "dark", "type": "large", "back": "/account"}
    assert worker.post("/settings", data=chosen).location == "/account"
    page = worker.get("/account", headers={"Accept-Language": "en"}).text
    assert '<html lang="de" data-theme="dark" data-type="large">' in page
    worker.post("/settings", data={"language": "xx", "theme": "", "type": "", "back": "https://evil.example"})
    page = worker.get("/account", headers={"Accept-Language": "en"}).text
    assert '<html lang="en">' in page


def test_the_frame_speaks_as_the_page_around_it(worker: FlaskClient, frame: FlaskClient) -> None:
    page = worker.get("/projects/3GROUP1/tasks", headers={"Accept-Language": "de"}).text
    assert 'lang=de"' in page
    assert "Das wurde nicht angenommen" in frame.get("/frame/none?lang=de").text
    assert '<html lang="en">' in frame.get("/frame/none", headers={"Accept-Language": "en"}).text


def test_a_sentence_keeps_its_numbers(worker: FlaskClient) -> None:
    with worker.application.test_request_context("/"):
        from flask import g

        g.language = "de"
        assert said("Choose a password of 8 to 200 characters.") == "Wähle ein Passwort von 8 bis 200 Zeichen."
        assert said("Nobody translated 3 of this.") == "Nobody translated 3 of this."
