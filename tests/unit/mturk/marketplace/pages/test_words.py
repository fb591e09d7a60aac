"""The pages of workers and of the requester speak the languages that they name: no text lacks its translation, each
page says which it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from galloway.curation import report
from galloway.curation.learn.bound import Proof
from galloway.curation.learn.pull import pull_of
from galloway.mturk.marketplace import pages as site
from galloway.mturk.marketplace.pages.keys import DOES as PAGE_DOES
from galloway.mturk.marketplace.pages.words import LANGUAGES, Spoken, catalogue, moment, numerals, said
from galloway.pipeline import web
from galloway.pipeline.asking import choosing
from galloway.pipeline.web.keys import DOES
from galloway.pipeline.web.settings import SAID_BY_SCRIPTS

PAGES = Path(site.__file__).parent
MARKET = PAGES.parent
WEB = Path(web.__file__).parent
REPORT = Path(report.__file__).parent
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
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
WORK = (
    "/",
    "/history",
    "/earnings",
    "/qualifications",
    "/messages",
    "/account",
    "/account/checks",
    "/settings/keys",
    "/none",
)


def in_templates() -> Iterator[str | tuple[str, str]]:
    options = {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}
    for room in (
        PAGES / "templates" / "worker",
        PAGES / "templates" / "frame",
        WEB / "templates",
        REPORT / "templates",
    ):
        found = extract_from_dir(
            room,
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


NOT_SHOWN = re.compile(
    r"^(%s)?<|<rect|'none'|sandbox|=\(\)|^attachment;|max-age|^galloway |^keeping|^making|^changing|^taking codes"
    r"|^noting|ing a worker$|a worker in$|^deciding on|^undo found|\| None|Mapping\[|^%s OK$|Unavailable$|^job "
    r"|^cannot be read$|a page (failed|was not served)|^d\. MMM|^ and side $|^, side %s$|^doubt over$"
    r"|^[^A-Za-z]*%s[^A-Za-z]*$|^person-|^%s min$"
)
"""Markup, headers, names of locks, what a log says: nobody reads these on a page."""
PIECES: dict[str, tuple[str, ...]] = {
    "%s is %s.": ("%s is blocked.", "%s is no longer blocked.", "%s is %s."),
    "no longer blocked": (),
    ", %s paid": ("%s approved, %s paid.", "%s approved.", "%s rejected."),
    "gets your pages again": ("%s gets your pages again.",),
    "was answered": ("%s was answered.",),
    "the link of ": ("the link of %s",),
    "This request came through a proxy, and nobody is": (
        (
            "This request came through a proxy, and nobody is signed in. "
            "Open the link that was printed when the server was started, or sign in."
        ),
    ),
    "Nobody is": ("Nobody is signed in. Open the link that was printed when the server was started, or sign in.",),
    "%s signed in. Open the link that was printed when the server was started, or sign in.": (),
    "Taken back: %s on %s %s, by %s.": (
        "Taken back: %s on %s face, by %s.", "Taken back: %s on %s faces, by %s.",
    ),
    "person %s%s (%s)": ("person %s (%s)", "person %s, side %s (%s)"),
    "“%s” and “%s”": (),
    "The key %s is there twice, for %s: choose another one.": (
        "The key %s is there twice, for “%s” and “%s”: choose another one.",
    ),
    "You may look": (),
    "You may %s": (),
    "%s; starting and stopping work takes somebody who may spend (galloway team add NAME --role spend), on a server "
    "without --no-actions.": tuple(
        f"You may {role}; starting and stopping work takes somebody who may spend (galloway team add NAME --role spend)"
        ", on a server without --no-actions."
        for role in ("look", "decide", "spend")
    ),
    "%s; this takes somebody who may spend (galloway team add NAME --role spend), on a server without --no-actions.": (
        tuple(
            f"You may {role}; this takes somebody who may spend (galloway team add NAME --role spend), on a server "
            "without --no-actions."
            for role in ("look", "decide", "spend")
        )
    ),
    "%s %s in masked regions of %s.": (
        "%s face lies in masked regions of %s.", "%s faces lie in masked regions of %s.",
    ),
    "face lies": (),
    "faces lie": (),
    "%s is %s. ": ("%s is %s.",),
    ", with %s or more": ("hold %s", "hold %s, with %s or more"),
    "hold %s%s": (),
    "faceset of side %s": (),
    "You may": (),
    "%s side %s": ("side %s",),
    "the last time it took %s minutes": ("%s; the last time it took %s minutes",),
    "the last time it took a minute": ("%s; the last time it took a minute",),
}  # fmt: skip
"""What code puts together → how it is said as a whole."""


def in_the_requesters_app() -> Iterator[str]:
    """Every text of more than one word in the code of the requester's app, with `%s` for numbers and what is filled
    in."""
    for file in WEB.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        parts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        parts |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if id(node) in parts or not isinstance(node, ast.JoinedStr | ast.Constant):
                continue
            values = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(_filled(part, isinstance(node, ast.JoinedStr)) for part in values)
            if " " in text.strip() and re.search(r"[A-Za-z]{2}", text):
                yield node.value if isinstance(node, ast.Constant) and node.value in SAID_BY_SCRIPTS else text


def _filled(part: ast.expr, formatted: bool) -> str:
    if not isinstance(part, ast.Constant) or not isinstance(part.value, str):
        return "%s"
    doubled = formatted or NUMBER.search(part.value)
    return NUMBER.sub("%s", part.value.replace("%", "%%") if doubled else part.value)


def in_documents() -> Iterator[str]:
    """The texts that the code of the agreement report says itself."""
    for file in REPORT.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if name in ("gettext", "said") and isinstance(node.args[0], ast.Constant):  # type: ignore[union-attr]
                yield str(node.args[0].value)  # type: ignore[union-attr]


def messages() -> set[str | tuple[str, str]]:
    rules = {text for text in in_rules() if text not in NOT_FOR_PEOPLE | set(FILLED)}
    filled = {text % value for text, values in FILLED.items() for value in values}
    requester = {text for text in in_the_requesters_app() if not NOT_SHOWN.search(text) and text not in PIECES}
    pieces = {text for texts in PIECES.values() for text in texts}
    found = {*in_templates(), *in_documents(), *rules, *filled, *STATES, *HEADINGS, *WANTED, *requester, *pieces}
    return found | {*SAID_BY_SCRIPTS, *DOES.values(), *PAGE_DOES.values()}


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
        # "One row" stands for a number.
        plural = not isinstance(message.id, str)
        assert all(found == wanted or (plural and found < wanted) for found in fields), message.id
        if not plural:
            assert message.id.count("%s") == message.string.count("%s"), message.id


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


NO_WORDS = {
    "Galloway",
    "a-worker-0123",
    "HTML",
    "Parquet",
    "Prolific",
    "MB",
    "UTC",
    "h",
    "s",
    "h264",
    "h265",
    "prores",
    "ffv1",
    "png",
    "AC1",
    "Alpha",
}
NO_LABELS = {"/home/me/clip.mp4", "120-180", "classroom", "https://…?cc={code}", "DE, AT, CH"}
"""Codecs, names and units, and examples of what is typed."""
SHOWN_ATTRIBUTES = re.compile(
    r"(?<![\w-])(?:title|alt|aria-label|placeholder|data-name)=\"((?:\{\{.*?\}\}|[^\"])*)\"", re.DOTALL
)


@pytest.mark.parametrize(
    "file",
    sorted([*(WEB / "templates").rglob("*.html"), *(REPORT / "templates").glob("*.html")]),
    ids=lambda file: file.stem,
)
def test_every_text_of_a_template_goes_through_the_catalogue(file: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{% trans.*?\{% endtrans %\}", " ", file.read_text("utf-8"), flags=re.DOTALL)
    labels = {re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", label).strip() for label in SHOWN_ATTRIBUTES.findall(text)}
    assert {label for label in labels if re.search(r"[A-Za-z]{2}", label)} - NO_LABELS == set()
    said = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.DOTALL)
    bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
    bare = re.sub(r"<(svg|code|script|kbd)\b.*?</\1>|<[^>]*>|&\w+;", " ", bare, flags=re.DOTALL)
    bare = re.sub(r"data-[\w-]+=\"[^\"]*\"", " ", bare)
    assert set(re.findall(r"[A-Za-z][\w.-]*", bare)) - NO_WORDS == set()
    # A sentence among the words of an expression is an argument of `_`.
    for part in said:
        outside = re.sub(r"\b_\(\s*('(?:[^'\\]|\\.)*'|\"[^\"]*\")", "", part)
        sentences = [one for one in re.findall(r"'([^']*)'", outside) if re.search(r"[A-Za-z]{2,} [A-Za-z]", one)]
        assert [one for one in sentences if one not in NO_LABELS] == [], part


def test_scripts_say_what_the_pages_bring_along() -> None:
    called = re.compile(r'words\.(?:said\(|counted\(\w+, "([^"]+)", )"([^"]+)"')
    calls = [found for file in (WEB / "static").glob("*.js") for found in called.findall(file.read_text("utf-8"))]
    asked = {text for call in calls for text in call if text}
    assert len(asked) > 15
    assert asked - set(SAID_BY_SCRIPTS) == set()


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("There is no batch a-1.", "Es gibt kein Paket a-1."),
        ("1,200 faces looked at.", "1.200 Gesichter angesehen."),
        ("3 approved, 1 rejected, by Ann. The workers' votes stay as they are. Decisions: take it back.",
         ("3 angenommen, 1 abgelehnt, von Ann. Die Stimmen der Worker bleiben, wie sie sind. "
          "Unter Entscheidungen lässt es sich zurücknehmen.")),
        ("There is no project open.", "Es gibt kein Projekt open."),
        ("31/s, 5 s left", "31/s, noch 5 s"),
        ("That was taken back on 09 May 2026, 16:05 UTC.", "Das wurde am 9. Mai 2026, 16:05 UTC zurückgenommen."),
        ("Ann's 29 November 2026 and 31 June 2026.", "Ann's 29. November 2026 and 31 June 2026."),
        ("clip.mp4 breaks off after frame 1,012 (cut). Mend it with: galloway video fix clip.mp4",
         "clip.mp4 bricht nach Bild 1.012 ab (cut). Richte es her: galloway video fix clip.mp4"),
        ("1; 2. 3, " * 2000, "1; 2. 3, " * 2000),
        ("Read /srv/a-1.2.3.txt: nothing of it is ours.", "Read /srv/a-1.2.3.txt: nothing of it is ours."),
    ],
)  # fmt: skip
def test_sentences_of_the_code_are_turned_where_they_are_shown(worker: FlaskClient, english: str, german: str) -> None:
    with worker.application.test_request_context("/"):
        from flask import g

        g.language = "de"
        assert said(english) == german
        assert numerals("1,234,567.5 of 3.11.7") == "1.234.567,5 of 3.11.7"
        assert catalogue("xx").gettext("Sign in") == "Sign in"


def test_a_moment_is_written_as_the_language_does(worker: FlaskClient) -> None:
    with worker.application.test_request_context("/"):
        from flask import g

        for language, written in (("en", "9 May 2026, 16:05"), ("de", "9. Mai 2026, 16:05")):
            g.language = language
            assert moment(datetime(2026, 5, 9, 16, 5, tzinfo=UTC)) == written


def lesson(side: str, question: str, accuracy: float) -> Any:
    """What a model was taught, as far as lines say it."""
    taught = SimpleNamespace(record=SimpleNamespace(accuracy=accuracy))
    return SimpleNamespace(side=side, question=question, taught=taught)


@pytest.mark.parametrize(
    "told",
    [
        *choosing._lines(lesson("b", "usable", 0.934), 12, 114),
        *choosing._lines(lesson("a", "identity", float("nan")), 1, 1),
        *choosing._audit_lines(lesson("b", "usable", 0.9), 1),
        *choosing._audit_lines(lesson("b", "usable", 0.9), 12),
        (
            "Side b, usable: 3 audited faces shown to others, since what was said of them does not settle whether the "
            "decision is wrong or an answer."
        ),
        choosing._WHO_FIRST.format("b"),
        "Drawn at random, 3 settled faces asked once more to test the posteriors.",
        "usable: 12 faces left until there is money.",
        "identity: 1 face left for a person to decide.",
        "Collect: 3 assignments so far, 5 new votes, $0.10 paid now. 30 faces wait for answers.",
    ],
)
def test_what_a_round_is_for_is_said_in_german(told: str) -> None:
    translated = Spoken("de").said(told)
    assert not re.search(r"\b(the|asked|faces?|shown|wait|for|paid)\b", translated), translated
    assert re.findall(r"\d+", translated) == re.findall(r"\d+", told)


@pytest.mark.parametrize(
    "told",
    [
        Proof(0, 0, decided=10).text(),
        Proof(1, 0, decided=46).text(),
        Proof(60, 0, decided=2000).text(),
        Proof(60, 0, decided=2000, price=lambda faces: f"${faces}.00").text(),
        *(Proof(60, wrong, decided=2000, unsettled=open_).text() for wrong in (1, 2) for open_ in (0, 1, 3)),
        pull_of([0.0] * 60, [0.5] * 20).text(),
        pull_of([0.5] * 60, [0.05] * 40).text(),
        pull_of([0.0] * 20, [0.0, 0.1]).text(),
    ],
)
def test_what_is_proved_and_what_groups_do_is_said_in_german_whole(told: str) -> None:
    english = re.compile(r"\b(faces?|wrong|asked|groups|shown|proved|answers|sure)\b")
    for sentence in (told, f"Audit, usable: {told}.") if "decided" in told else (told,):
        translated = Spoken("de").said(sentence)
        assert not english.search(translated)
        assert re.findall(r"\d+", translated) == re.findall(r"\d+", sentence), "the same numbers in the same order"
