"""The question formats HTMLQuestion, ExternalQuestion and QuestionForm, and what a frame shows of them.

Formats: the AWS data schemas of 2011-11-11 (HTMLQuestion), 2006-07-14 (ExternalQuestion) and 2017-11-06
(QuestionForm; 2005-10-01 and the versions between are still accepted).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.etree.ElementTree import Element

from ..errors import Refused
from . import xml
from .questionform import QuestionForm, check_form, parse_form
from .schemas import check_schema

__all__ = ["PREVIEW_ID", "Question", "check_question", "external_url", "fill_layout", "parse_question", "with_form"]

PREVIEW_ID = "ASSIGNMENT_ID_NOT_AVAILABLE"
_FORMS = re.compile(r"\d{4}-\d{2}-\d{2}/QuestionForm\.xsd")
_LAYOUT = re.compile(r"\$\{([^{}]+)\}")
_HAS_FORM = re.compile(r"<(?:form|crowd-form)\b", re.IGNORECASE)
_SENDS = re.compile(r"""<(?:button|input)\b[^>]*\btype\s*=\s*["']?(?:submit|image)\b""", re.IGNORECASE)
_BARE_BUTTON = re.compile(r"<button\b(?![^>]*\btype\s*=)", re.IGNORECASE)
_LIVELY = re.compile(r"<script\b|\son[a-z]+\s*=", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>(.*)</body", re.IGNORECASE | re.DOTALL)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_TALLEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """A parsed question. Exactly one of `html`, `external_url` and `form` is set, as `kind` says."""

    kind: Literal["html", "external", "form"]
    frame_height: int
    """Pixels; 0 means: fit to the content."""
    html: str = ""
    external_url: str = ""
    form: QuestionForm | None = None


def parse_question(text: str, *, test: bool = False) -> Question:
    """The question in `text`; with `test`, one that can be a qualification test (a QuestionForm).

    Raises Refused: XMLParseError for what the schemas refuse, InvalidParameterValue for size and URL.
    """
    root = xml.parse(text, "Test" if test else "Question")
    namespace, name = xml.split_tag(root)
    version = namespace.removeprefix(xml.SCHEMAS) if namespace.startswith(xml.SCHEMAS) else ""
    if name == "QuestionForm" and _FORMS.fullmatch(version):
        return Question("form", 0, form=parse_form(root))
    if test:
        raise xml.refuse(f"a qualification test must be a QuestionForm, not {name[:60]}.")
    if name == "HTMLQuestion" and version == "2011-11-11/HTMLQuestion.xsd":
        content = xml.text_of(xml.child(root, "HTMLContent"))
        if not content.strip():
            raise xml.refuse("HTMLQuestion has no HTMLContent.")
        return Question("html", _height(root), html=content)
    if name == "ExternalQuestion" and version == "2006-07-14/ExternalQuestion.xsd":
        return Question("external", _height(root), external_url=_checked_url(root))
    raise xml.refuse(f"cvc-elt.1: Cannot find the declaration of element '{root.tag[:160]}'.")


def check_question(text: str, *, test: bool = False) -> Question:
    """The question of a new HIT or test: as `parse_question`, and refused also where the schemas refuse what reading
    passes over, and where nobody could ever hand the form in. What is stored already is only read."""
    check_schema(xml.parse(text, "Test" if test else "Question"))
    question = parse_question(text, test=test)
    if question.form is not None:
        check_form(question.form)
    return question


def _height(root: Element) -> int:
    text = xml.text_of(xml.child(root, "FrameHeight")).strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > _TALLEST:
        raise xml.refuse(f"FrameHeight must be a whole number from 0, not {text[:20]!r}.")
    return int(text)


def _checked_url(root: Element) -> str:
    url = xml.text_of(xml.child(root, "ExternalURL")).strip()
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise xml.refuse(f"ExternalURL is not a URL: {error}") from error
    # Plain http is a local convenience: a page on this machine; AWS asked for https always.
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return url
    raise Refused(
        f"ExternalURL must begin with https:// (http:// only for this machine): {url[:200]}",
        "AWS.MechanicalTurk.InvalidParameterValue",
    )


def external_url(url: str, values: Mapping[str, str]) -> str:
    """`url` with the frame contract's values appended, keeping its own parameters and a single "?"."""
    parts = urlsplit(url)
    added = urlencode([(name, value) for name, value in values.items() if value])
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def with_form(html: str) -> str:
    """A layout as MTurk's website showed it: around a fragment without a form it put the form, its id and a button."""
    if _HAS_FORM.search(html):
        return html
    found = _BODY.search(html)
    before, body, after = (html[: found.start(1)], found[1], html[found.end(1) :]) if found else ("", html, "")
    # A bare button sends only where no script makes something else of it, such as one of several answers.
    sends = _SENDS.search(body) or (_BARE_BUTTON.search(body) and not _LIVELY.search(html))
    button = "" if sends else '<p><input type="submit" id="submitButton" value="Submit"></p>'
    form = (
        '<form name="mturk_form" method="post" id="mturk_form" action="https://www.mturk.com/mturk/externalSubmit">'
        f'<input type="hidden" value="" name="assignmentId" id="assignmentId">{body}{button}</form>'
    )
    return f"{before}{form}{after}" if found else f'<!DOCTYPE html><meta charset="utf-8">{form}'


def fill_layout(html: str, parameters: Sequence[tuple[str, str]]) -> str:
    """The Question XML of a layout with `${name}` replaced. Refused where layout and parameters do not match."""
    values = dict(parameters)
    wanted = set(_LAYOUT.findall(html))
    if missing := sorted(wanted - values.keys()):
        raise Refused(
            f"HITLayoutParameters has no value for: {', '.join(missing)[:300]}",
            "AWS.MechanicalTurk.InvalidParameterValue",
        )
    if extra := sorted(values.keys() - wanted):
        raise Refused(
            f"The HITLayout has no parameter named: {', '.join(extra)[:300]}",
            "AWS.MechanicalTurk.InvalidParameterValue",
        )
    # Values go in as they are, as on MTurk: into scripts and attributes, too. The page runs in a sandbox, and all that
    # a value could break out of is the CDATA section.
    filled = _LAYOUT.sub(lambda match: values[match[1]], with_form(html))
    content = filled.replace("]]>", "]]]]><![CDATA[>")
    return (
        f'<HTMLQuestion xmlns="{xml.SCHEMAS}2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[{content}]]>'
        "</HTMLContent><FrameHeight>0</FrameHeight></HTMLQuestion>"
    )
