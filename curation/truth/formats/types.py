"""What passes between the steps: a source, what its container holds, what was wished for, and what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import VotesError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["ROLES", "Answer", "Content", "Format", "Markup", "Reading", "Records", "Sheet", "Wish"]

ROLES = ("worker", "task", "label")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table of text: `rows()` gives each row with its line in the file, always as many cells as the header.

    A row with more cells than the header has none at all instead: it could be shifted.
    """

    name: str
    header: tuple[str, ...]
    rows: Callable[[], Iterator[tuple[int, list[str]]]]
    notes: tuple[str, ...] = ()
    unit: str = "line"

    def dicts(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each whole row by column name."""
        for line, row in self.rows():
            if row:
                yield line, dict(zip(self.header, row, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """JSON values: the elements of an array, or the lines of a file of lines; `whole` is True for one lone object."""

    name: str
    items: tuple[Any, ...]
    notes: tuple[str, ...] = ()
    whole: bool = False

    @property
    def first(self) -> Mapping[str, Any]:
        """The first record, empty where it is no object."""
        return self.items[0] if self.items and isinstance(self.items[0], dict) else {}


@dataclass(frozen=True, slots=True, eq=False)
class Markup:
    """An XML document."""

    name: str
    root: Element
    notes: tuple[str, ...] = ()


Content = Sheet | Records | Markup


@dataclass(frozen=True, slots=True)
class Wish:
    """The columns that the user named, by role; a role that is missing was left to the file's own header."""

    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str | None:
        return self.columns.get("label")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one worker said about one task, question by question; several labels of one question are a list."""

    worker: str
    task: str
    given: Mapping[str, str | Sequence[str]]
    line: int
    seconds: str = ""
    submitted: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Votes as read, nothing left out yet: columns of equal length, `lines` in the file (or records, see `unit`).

    `gold` are known answers that the file itself marks. `notes` are sentences about what was left out or understood.
    """

    format: str
    worker: list[str]
    task: list[str]
    label: list[str]
    lines: list[int]
    seconds: list[str] | None = None
    submitted: list[str] | None = None
    notes: tuple[str, ...] = ()
    gold: Mapping[str, str] = field(default_factory=dict)
    unit: str = "line"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: whether some content is of it, and how it is read. `left_out` says why a row of such a table is
    no vote, also where its columns are named; empty where it is one."""

    name: str
    fits: Callable[[Content], bool]
    read: Callable[[Any, Wish], Reading]
    left_out: Callable[[Mapping[str, str]], str] | None = None


def text_of(value: object) -> str:
    """A JSON scalar as the text of a cell: no quotes, true and false in lower case, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def refuse(name: str, why: str) -> VotesError:
    """The error about a file, which names it first."""
    return VotesError(f"{name} {why}")
