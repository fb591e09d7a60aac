"""QuestionForm → what a template draws: fields with names, constraints and drafts; sanitised content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...rules.questionform import (
    Content,
    FormQuestion,
    FreeText,
    QuestionForm,
    SelectionAnswer,
)
from .sanitize import safe_url, sanitize

__all__ = ["Field", "FormView", "Option", "Piece", "Text", "form_view"]

Draft = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Content that is safe to draw; `markup` is Markup for kind "formatted"."""

    kind: str
    text: str
    items: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text box with what HTML can check by itself."""

    name: str
    value: str
    lines: int
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice."""

    value: str
    label: str
    content: tuple[Piece, ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One question: text, or options drawn as radio buttons, boxes or a list."""

    number: int
    name: str
    title: str
    required: bool
    content: tuple[Piece, ...]
    text: Text | None
    options: tuple[Option, ...]
    drawn: Literal["text", "radio", "checkbox", "select", "multiple"]
    hint: str
    other: Text | None


@dataclass(frozen=True, slots=True)
class FormView:
    """The parts in order; a part is an overview (pieces) or a field."""

    parts: tuple[tuple[Piece, ...] | Field, ...]


def form_view(form: QuestionForm, draft: Draft) -> FormView:
    """How a form is drawn, with a saved draft filled in."""
    parts: list[tuple[Piece, ...] | Field] = []
    number = 0
    for part in form.parts:
        if isinstance(part, FormQuestion):
            number += 1
            parts.append(_field(number, part, draft))
        else:
            parts.append(_pieces(part))
    return FormView(tuple(parts))


def _pieces(contents: tuple[Content, ...]) -> tuple[Piece, ...]:
    return tuple(
        Piece(
            content.kind,
            sanitize(content.text) if content.kind == "formatted" else content.text,
            content.items,
            safe_url(content.url),
        )
        for content in contents
    )


def _field(number: int, question: FormQuestion, draft: Draft) -> Field:
    answer, name = question.answer, question.identifier
    title = question.display_name or f"Question {number}"
    content = _pieces(question.content)
    if isinstance(answer, FreeText):
        text = _text(name, answer, draft, required=question.required)
        return Field(number, name, title, question.required, content, text, (), "text", _range_hint(answer), None)
    chosen = frozenset(draft.get(name, ()))
    options = tuple(
        Option(item.identifier, _plain(item.content), _pieces(item.content), item.identifier in chosen)
        for item in answer.selections
    )
    other = _text(f"other:{name}", answer.other, draft, required=False) if answer.other else None
    return Field(number, name, title, question.required, content, None, options, _drawn(answer), _hint(answer), other)


def _drawn(answer: SelectionAnswer) -> Literal["radio", "checkbox", "select", "multiple"]:
    """AWS's style suggestion, where the counts allow it: several answers cannot be radio buttons."""
    pictures = any(item.kind != "text" for choice in answer.selections for item in choice.content)
    if answer.maximum > 1:
        return "multiple" if answer.style in ("list", "multichooser") and not pictures else "checkbox"
    if answer.style in ("dropdown", "combobox", "list") and not pictures:
        return "select"
    return "checkbox" if answer.style == "checkbox" and answer.minimum == 0 else "radio"


def _hint(answer: SelectionAnswer) -> str:
    if answer.maximum <= 1:
        return ""
    if answer.minimum == answer.maximum:
        return f"Choose {answer.minimum}."
    return f"Choose {answer.minimum} to {answer.maximum}." if answer.minimum else f"Choose up to {answer.maximum}."


def _text(name: str, free: FreeText, draft: Draft, *, required: bool) -> Text:
    attributes: dict[str, str] = {}
    if free.min_length is not None:
        attributes["minlength"] = str(free.min_length)
    if free.max_length is not None:
        attributes["maxlength"] = str(free.max_length)
    if free.numeric:
        attributes |= {"type": "number", "step": "any"}
        if free.min_value is not None:
            attributes["min"] = str(free.min_value)
        if free.max_value is not None:
            attributes["max"] = str(free.max_value)
    elif free.pattern and free.lines <= 1:
        attributes |= {"pattern": free.pattern, "title": free.pattern_message or f"Format: {free.pattern}"}
    if required:
        attributes["required"] = ""
    return Text(name, (draft.get(name) or (free.default,))[0], free.lines, attributes)


def _range_hint(free: FreeText) -> str:
    words = []
    if free.numeric:
        low, high = free.min_value, free.max_value
        words.append(
            "A number" + (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "") + "."
        )
    if free.max_length is not None:
        words.append(f"At most {free.max_length} characters.")
    return " ".join([*words, free.pattern_message]).strip()


def _plain(contents: tuple[Content, ...]) -> str:
    return " ".join(content.text for content in contents if content.text) or "picture"
