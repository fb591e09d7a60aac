"""A posted form → QuestionFormAnswers XML, and back to plain values."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from . import xml
from .questionform import FreeText, QuestionForm, SelectionAnswer

__all__ = ["OTHER", "RESERVED", "Answer", "answers_xml", "form_answers", "page_answers", "read_answers"]

_LOG = logging.getLogger(__name__)
RESERVED = frozenset({"assignmentId", "hitId", "turkSubmitTo", "workerId"})
"""Names of the frame contract; they are no answers."""
OTHER = "other:"
"""Prefix of the field that holds the text for "other" in a selection."""
_NAMESPACE = f"{xml.SCHEMAS}2005-10-01/QuestionFormAnswers.xsd"


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer: free text, or selections with optional other text."""

    identifier: str
    text: str | None = None
    selections: tuple[str, ...] = ()
    other: str | None = None


def page_answers(fields: Iterable[tuple[str, str]]) -> list[Answer]:
    """One free-text answer for each field of a requester's page.

    A name that comes twice is joined with "|": MTurk's own accounts differ (one value kept, or joined), and
    joining loses nothing.
    """
    values: dict[str, list[str]] = {}
    for name, value in fields:
        if name and name not in RESERVED:
            values.setdefault(name, []).append(value)
    repeated = [name for name, found in values.items() if len(found) > 1]
    if repeated:
        _LOG.warning("a form sent %d field names more than once; their values were joined with |", len(repeated))
    return [Answer(name, text="|".join(found)) for name, found in values.items()]


def form_answers(form: QuestionForm, fields: Iterable[tuple[str, str]]) -> tuple[list[Answer], list[str]]:
    """The answers to a QuestionForm and what is wrong with them, in words for the worker.

    Fields that are no question of the form are dropped.
    """
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    answers: list[Answer] = []
    wrong: list[str] = []
    for question in form.questions:
        label = question.display_name or question.identifier
        given = values.get(question.identifier, [])
        if isinstance(question.answer, FreeText):
            answer = Answer(question.identifier, text="|".join(given))
            problem = _text_problem(question.answer, answer.text or "", required=question.required)
        else:
            answer = _selected(question.identifier, question.answer, given, values)
            problem = _selection_problem(question.answer, answer, required=question.required)
        if problem:
            wrong.append(f"{label}: {problem}")
        answers.append(answer)
    return answers, wrong


def _selected(
    identifier: str, answer: SelectionAnswer, given: Sequence[str], values: Mapping[str, Sequence[str]]
) -> Answer:
    known = {selection.identifier for selection in answer.selections}
    chosen = tuple(dict.fromkeys(value for value in given if value in known))
    other = "|".join(values.get(OTHER + identifier, ())).strip() if answer.other is not None else ""
    return Answer(identifier, selections=chosen, other=other or None)


def _text_problem(answer: FreeText, text: str, *, required: bool) -> str:
    if not text.strip():
        return "an answer is needed" if required else ""
    if answer.min_length is not None and len(text) < answer.min_length:
        return f"at least {answer.min_length} characters are needed"
    if answer.max_length is not None and len(text) > answer.max_length:
        return f"at most {answer.max_length} characters fit"
    if answer.numeric:
        try:
            number = float(text)
        except ValueError:
            return "a number is needed"
        low, high = answer.min_value, answer.max_value
        if not ((low is None or number >= low) and (high is None or number <= high)):
            return "the number is outside what is asked for"
    # The requester's regular expression is shown to the browser only: run here, it could run for ever.
    return ""


def _selection_problem(answer: SelectionAnswer, given: Answer, *, required: bool) -> str:
    count = len(given.selections) + (given.other is not None)
    if count == 0:
        return "a choice is needed" if required else ""
    if count < answer.minimum:
        return f"choose at least {answer.minimum}"
    if count > answer.maximum:
        return f"choose at most {answer.maximum}"
    return ""


def answers_xml(answers: Iterable[Answer]) -> str:
    """The QuestionFormAnswers document, as recorded from the sandbox; always well-formed."""
    parts = [f'<?xml version="1.0" encoding="UTF-8" standalone="no"?><QuestionFormAnswers xmlns="{_NAMESPACE}">']
    for answer in answers:
        parts.append(f"<Answer><QuestionIdentifier>{_escaped(answer.identifier)}</QuestionIdentifier>")
        if answer.text is not None:
            parts.append(f"<FreeText>{_escaped(answer.text)}</FreeText>")
        parts.extend(f"<SelectionIdentifier>{_escaped(name)}</SelectionIdentifier>" for name in answer.selections)
        if answer.other is not None:
            parts.append(f"<OtherSelectionText>{_escaped(answer.other)}</OtherSelectionText>")
        parts.append("</Answer>")
    parts.append("</QuestionFormAnswers>")
    return "".join(parts)


def _escaped(text: str) -> str:
    # A carriage return would be read back as a newline; as a character reference it survives.
    return escape(xml.clean(text), {"\r": "&#13;"})


def read_answers(document: str) -> dict[str, tuple[str, ...]]:
    """Values by question, in the order of the document: free text, or the selections and the other text."""
    from defusedxml import ElementTree as SafeTree

    found: dict[str, tuple[str, ...]] = {}
    for answer in SafeTree.fromstring(document.encode("utf-8")):
        identifier = xml.text_of(xml.child(answer, "QuestionIdentifier"))
        values = [
            xml.text_of(part)
            for part in answer
            if xml.split_tag(part)[1] in ("FreeText", "SelectionIdentifier", "OtherSelectionText")
        ]
        found[identifier] = tuple(values)
    return found
