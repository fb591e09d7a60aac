"""QuestionForm as values: overview, questions and what may be answered, ready to be rendered.

Form field names (so that pages and answers agree): a free-text answer is posted as the QuestionIdentifier; a selection
posts SelectionIdentifiers under the QuestionIdentifier, once for each; text for "other" is posted as
`other:` + QuestionIdentifier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast
from xml.etree.ElementTree import Element, tostring

from . import xml

__all__ = [
    "Content",
    "FormQuestion",
    "FreeText",
    "QuestionForm",
    "Selection",
    "SelectionAnswer",
    "check_form",
    "parse_form",
]

Kind = Literal["title", "text", "list", "image", "audio", "video", "embed", "formatted"]
Style = Literal["radiobutton", "checkbox", "list", "dropdown", "combobox", "multichooser"]
_STYLES = {"radiobutton", "checkbox", "list", "dropdown", "combobox", "multichooser"}
_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Content:
    """One piece of content.

    kind "title" and "text": `text`. "list": `items`. "image", "audio", "video", "embed": `url` and `text` (what it
    shows).
    "formatted": `text` is the requester's XHTML, NOT sanitised: let it through an allow-list before showing it.
    """

    kind: Kind
    text: str = ""
    items: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class FreeText:
    """A free-text answer: one line or several, with the constraints that a form can show."""

    default: str = ""
    lines: int = 1
    min_length: int | None = None
    max_length: int | None = None
    numeric: bool = False
    min_value: int | None = None
    max_value: int | None = None
    pattern: str = ""
    pattern_message: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """One choice of a selection answer."""

    identifier: str
    content: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class SelectionAnswer:
    """A choice among selections. `style` as AWS names it; `other` is set where free text may be added."""

    style: Style
    selections: tuple[Selection, ...]
    minimum: int = 1
    maximum: int = 1
    other: FreeText | None = None


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """One question of the form."""

    identifier: str
    display_name: str
    required: bool
    content: tuple[Content, ...]
    answer: FreeText | SelectionAnswer


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """Overview contents and questions, in the order in which they were written."""

    parts: tuple[tuple[Content, ...] | FormQuestion, ...]

    @property
    def questions(self) -> tuple[FormQuestion, ...]:
        """Only the questions."""
        return tuple(part for part in self.parts if isinstance(part, FormQuestion))


def parse_form(root: Element) -> QuestionForm:
    """The form in a QuestionForm element. Raises Refused (XMLParseError)."""
    parts: list[tuple[Content, ...] | FormQuestion] = []
    names: set[str] = set()
    for element in root:
        _, name = xml.split_tag(element)
        if name == "Overview":
            parts.append(_contents(element))
        elif name == "Question":
            question = _question(element)
            if question.identifier in names:
                raise xml.refuse(f"two questions have the identifier {question.identifier[:60]!r}.")
            names.add(question.identifier)
            parts.append(question)
        else:
            raise xml.refuse(f"QuestionForm cannot hold {name[:60]}.")
    if not names:
        raise xml.refuse("QuestionForm has no Question.")
    return QuestionForm(tuple(parts))


def check_form(form: QuestionForm) -> None:
    """Raises Refused (XMLParseError) for a question that no answer fits: no worker could ever hand the form in."""
    for question in form.questions:
        answer = question.answer
        if isinstance(answer, FreeText):
            texts = [answer]
        else:
            _check_counts(question.identifier, answer)
            texts = [] if answer.other is None else [answer.other]
        for text in texts:
            _check_order(question.identifier, "minLength", max(1, text.min_length or 0), "maxLength", text.max_length)
            _check_order(question.identifier, "minValue", text.min_value, "maxValue", text.max_value)


def _check_counts(identifier: str, answer: SelectionAnswer) -> None:
    choices = len(answer.selections) + (answer.other is not None)
    _check_order(identifier, "MinSelectionCount", answer.minimum, "MaxSelectionCount", answer.maximum)
    _check_order(identifier, "MinSelectionCount", answer.minimum, "the number of its selections", choices)


def _check_order(identifier: str, low_name: str, low: int | None, high_name: str, high: int | None) -> None:
    if low is not None and high is not None and low > high:
        raise xml.refuse(
            f"nobody can answer the question {identifier[:60]!r}: {low_name} {low} is above {high_name}, {high}."
        )


def _contents(parent: Element) -> tuple[Content, ...]:
    return tuple(_content(element) for element in parent)


def _content(element: Element) -> Content:
    _, name = xml.split_tag(element)
    text = xml.text_of(element)
    if name in ("Title", "Text"):
        return Content(cast(Kind, name.lower()), text)
    if name == "FormattedContent":
        inner = "".join(tostring(part, encoding="unicode") for part in element)
        return Content("formatted", text + inner)
    if name == "List":
        return Content("list", items=tuple(xml.text_of(item) for item in xml.children(element, "ListItem")))
    if name in ("Binary", "EmbeddedBinary"):
        mime = xml.child(element, "MimeType" if name == "Binary" else "EmbeddedMimeType")
        kind = xml.text_of(xml.child(mime, "Type") if mime is not None else None).lower()
        return Content(
            cast(Kind, kind if kind in ("image", "audio", "video") else "embed"),
            xml.text_of(xml.child(element, "AltText")),
            url=_web_address(xml.text_of(xml.child(element, "DataURL"))),
        )
    if name == "Application":
        return Content("embed", "an embedded application (Java or Flash), which browsers no longer run")
    raise xml.refuse(f"{name[:60]} is no question content.")


def _web_address(url: str) -> str:
    address = url.strip()
    if not address.startswith(("https://", "http://")):
        raise xml.refuse(f"DataURL must be a web address: {address[:100]!r}.")
    return address


def _question(element: Element) -> FormQuestion:
    identifier = xml.text_of(xml.child(element, "QuestionIdentifier")).strip()
    content, specification = xml.child(element, "QuestionContent"), xml.child(element, "AnswerSpecification")
    if not identifier or content is None or specification is None or len(specification) != 1:
        raise xml.refuse(
            "a Question needs QuestionIdentifier, QuestionContent and one kind of answer in AnswerSpecification."
        )
    return FormQuestion(
        identifier,
        xml.text_of(xml.child(element, "DisplayName")),
        xml.text_of(xml.child(element, "IsRequired")).strip() in ("true", "1"),
        _contents(content),
        _answer(specification[0]),
    )


def _answer(element: Element) -> FreeText | SelectionAnswer:
    _, name = xml.split_tag(element)
    if name == "FreeTextAnswer":
        return _free_text(element)
    if name == "SelectionAnswer":
        return _selection(element)
    raise xml.refuse(f"{name[:60]} is not supported (FileUploadAnswer ended on 2017-12-12).")


def _whole(value: str | None, otherwise: int | None = None) -> int | None:
    if value is None or not value.strip():
        return otherwise
    if not _WHOLE.fullmatch(value.strip()):
        raise xml.refuse(f"{value[:20]!r} is not a whole number.")
    return int(value)


def _free_text(element: Element) -> FreeText:
    constraints = xml.child(element, "Constraints")
    parts = {xml.split_tag(part)[1]: part for part in constraints} if constraints is not None else {}
    length, number, pattern = parts.get("Length"), parts.get("IsNumeric"), parts.get("AnswerFormatRegex")
    return FreeText(
        default=xml.text_of(xml.child(element, "DefaultText")),
        lines=_whole(xml.text_of(xml.child(element, "NumberOfLinesSuggestion")), 1) or 1,
        min_length=_whole(length.get("minLength")) if length is not None else None,
        max_length=_whole(length.get("maxLength")) if length is not None else None,
        numeric=number is not None,
        min_value=_whole(number.get("minValue")) if number is not None else None,
        max_value=_whole(number.get("maxValue")) if number is not None else None,
        pattern=pattern.get("regex", "") if pattern is not None else "",
        pattern_message=pattern.get("errorText", "") if pattern is not None else "",
    )


def _selection(element: Element) -> SelectionAnswer:
    block = xml.child(element, "Selections")
    found = [] if block is None else xml.children(block, "Selection")
    selections = tuple(
        Selection(
            xml.text_of(xml.child(item, "SelectionIdentifier")).strip(),
            _contents_but(item, "SelectionIdentifier"),
        )
        for item in found
    )
    names = [selection.identifier for selection in selections]
    if not selections or not all(names) or len(set(names)) != len(names):
        raise xml.refuse("a SelectionAnswer needs Selections with distinct SelectionIdentifiers.")
    other = xml.child(block, "OtherSelection") if block is not None else None
    style = xml.text_of(xml.child(element, "StyleSuggestion"), "radiobutton").strip()
    minimum = _whole(xml.text_of(xml.child(element, "MinSelectionCount")), 1)
    maximum = _whole(xml.text_of(xml.child(element, "MaxSelectionCount")), 1)
    return SelectionAnswer(
        cast(Style, style if style in _STYLES else "radiobutton"),
        selections,
        max(0, minimum or 0),
        max(1, maximum or 1),
        None if other is None else _free_text(other),
    )


def _contents_but(element: Element, left_out: str) -> tuple[Content, ...]:
    return tuple(_content(part) for part in element if xml.split_tag(part)[1] != left_out)
