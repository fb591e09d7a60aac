"""QuestionForm as values: overview, questions and what may be answered, ready to be rendered.

Form field names (so that pages and answers agree): a free-text answer is posted as the QuestionIdentifier; a selection
posts SelectionIdentifiers under the QuestionIdentifier, once for each; text for "other" is posted as
`other:` + QuestionIdentifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Content", "FormQuestion", "FreeText", "QuestionForm", "Selection", "SelectionAnswer"]


@dataclass(frozen=True, slots=True)
class Content:
    """One piece of content.

    kind "title" and "text": `text`. "list": `items`. "image", "audio", "video", "embed": `url` and `text` (what it
    shows).
    "formatted": `text` is the requester's XHTML, NOT sanitised: let it through an allow-list before showing it.
    """

    kind: Literal["title", "text", "list", "image", "audio", "video", "embed", "formatted"]
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

    style: Literal["radiobutton", "checkbox", "list", "dropdown", "combobox", "multichooser"]
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
