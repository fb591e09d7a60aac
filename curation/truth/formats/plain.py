"""Tables of our own kind: one vote a row by named columns, or one task a row with a column for every voter."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ...errors import VotesError
from .types import ROLES, Content, Format, Reading, Sheet, Wish

__all__ = ["NAMED", "WIDE", "named_columns"]

_OTHER_NAMES: dict[str, str] = {
    "worker": "workerid performer performerid annotator annotatorid annotatedby rater raterid coder user userid "
    "username judge participant labeler labeller voter",
    "task": "taskid item itemid unit unitid object objectid image imageurl imageid file filename document documentid "
    "question questionid face faceid",
    "label": "answer response judgment judgement vote annotation class category choice value rating",
}
_SECONDS = ("seconds", "WorkTimeInSeconds")
_SUBMITTED = ("submitted_at", "SubmitTime")
_KNOWN = frozenset({"gold", "goldlabel", "goldstandard", "truth", "groundtruth", "known", "correct", "correctlabel"})
_VOTERS_LEAST, _WIDE_LABELS, _WIDE_ROWS = 2, 20, 2000


def named_columns(header: Sequence[str], wish: Wish) -> dict[str, str]:
    """Role → column of the header: what was wished for, the very name, or the one column known by another name."""
    found: dict[str, str] = {}
    for role in ROLES:
        if role in wish.columns:
            found[role] = wish.columns[role]
        elif role in header:
            found[role] = role
        else:
            same = [name for name in header if _plain(name) == role] or [
                name for name in header if _plain(name) in _OTHER_NAMES[role].split()
            ]
            if len(same) == 1:
                found[role] = same[0]
    return found


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _fits_named(content: Content) -> bool:
    return isinstance(content, Sheet) and set(named_columns(content.header, Wish())) == set(ROLES)


def read_named(sheet: Sheet, wish: Wish) -> Reading:
    """One vote a row. Raises VotesError where a column is missing, double or named for two roles."""
    named = {role: role for role in ROLES} | named_columns(sheet.header, wish)
    if len(set(named.values())) < len(named):
        raise VotesError(f"Worker, task and label need three columns of {sheet.name}, not {', '.join(named.values())}.")
    _require(sheet, list(named.values()))
    seconds, submitted = (
        next((name for name in names if sheet.header.count(name) == 1), None) for names in (_SECONDS, _SUBMITTED)
    )
    question = "question" if "question" in sheet.header and "question" not in named.values() else None
    wanted = [*named.values(), *(name for name in (seconds, submitted, question) if name is not None)]
    columns, lines, longer = _columns(sheet, wanted)
    if question is not None:
        _refuse_two_questions(sheet, columns[named["task"]], columns[question], named["task"])
    worker, task, label = (columns[named[role]] for role in ROLES)
    return Reading(
        "a table of votes",
        worker,
        task,
        label,
        lines,
        None if seconds is None else columns[seconds],
        None if submitted is None else columns[submitted],
        (*sheet.notes, *_notes(sheet, named, set(wanted), longer, wish)),
        unit=sheet.unit,
    )


def _columns(sheet: Sheet, wanted: Sequence[str]) -> tuple[dict[str, list[str]], list[int], list[int]]:
    """The wanted columns, the line of each row, and the lines of those left out."""
    places = [sheet.header.index(name) for name in wanted]
    columns: list[list[str]] = [[] for _ in wanted]
    lines: list[int] = []
    longer: list[int] = []
    same: dict[str, str] = {}  # one string for all cells that say the same: names and labels come again and again
    for line, row in sheet.rows():
        if not row:
            longer.append(line)
            continue
        lines.append(line)
        for column, place in zip(columns, places, strict=True):
            cell = row[place]
            column.append(same.setdefault(cell, cell))
    return dict(zip(wanted, columns, strict=True)), lines, longer


def _notes(sheet: Sheet, named: Mapping[str, str], read: set[str], longer: Sequence[int], wish: Wish) -> list[str]:
    notes = []
    found = {role: name for role, name in named.items() if role not in wish.columns}
    other = [f"{name} as {role}" for role, name in found.items() if name.casefold() != role]
    if longer:
        rows = f"{len(longer)} row{'' if len(longer) == 1 else 's'}"
        notes.append(f"{rows} left out: more cells than the header (first in {sheet.unit} {longer[0]}).")
    if other:
        notes.append(f"read {', '.join(other)}.")
    unknown = [name for name in sheet.header if name and name not in read]
    if unknown:
        notes.append(
            f"{len(unknown)} unknown column{'' if len(unknown) == 1 else 's'} ignored: {', '.join(unknown[:8])}"
            f"{' …' if len(unknown) > 8 else ''}."
        )
    return notes


def _require(sheet: Sheet, required: Sequence[str]) -> None:
    missing = [name for name in required if name not in sheet.header]
    if missing:
        there = ", ".join(name or "(no name)" for name in sheet.header[:40])
        raise VotesError(
            f"{sheet.name} has no column {', '.join(missing)}; it has {there}. Rename its columns or name them with "
            f"--worker-column, --task-column, --label-column{_example(sheet)}."
        )
    twice = [name for name in required if sheet.header.count(name) > 1]
    if twice:
        raise VotesError(f"{sheet.name} has two columns called {twice[0]}; rename the one that is not meant.")


def _example(sheet: Sheet) -> str:
    """The three options for a table of just three columns. What the header does not tell, the cells do: labels are few,
    and there are fewer workers than tasks."""
    if len(sheet.header) != len(ROLES) or len(set(sheet.header)) < len(ROLES) or not all(sheet.header):
        return ""
    named = {role: name for role in ROLES for name in sheet.header if role in _plain(name)}
    named |= named_columns(sheet.header, Wish())
    left = [name for name in sheet.header if name not in named.values()]
    open_ = [role for role in ROLES if role not in named]
    rows = [row for _, row in islice(sheet.rows(), _WIDE_ROWS) if row]
    kinds = {name: len({row[sheet.header.index(name)] for row in rows}) for name in left}
    if len(set(kinds.values())) == len(left) == len(open_):
        left.sort(key=kinds.__getitem__)
        open_.sort(key=("label", "worker", "task").index)
    named |= dict(zip(open_, left, strict=False))
    if len(set(named.values())) < len(ROLES):
        return ""
    return f", such as {' '.join(f'--{role}-column {shlex.quote(named[role])}' for role in ROLES)}"


def _refuse_two_questions(sheet: Sheet, tasks: Sequence[str], questions: Sequence[str], column: str) -> None:
    """Raise VotesError where the column `question` says that a task was asked two things: no label fits both."""
    asked: dict[str, str] = {}
    for task, question in zip(tasks, questions, strict=True):
        if asked.setdefault(task, question) != question:
            raise VotesError(
                f"{sheet.name} holds votes on several questions about the same {column}. Give the votes on one: "
                "`galloway report` writes them as reports/votes-QUESTION.csv."
            )


@dataclass(frozen=True, slots=True)
class _Wide:
    """The columns of a wide table by place: its tasks, its voters, known answers, and what is none of it."""

    task: int
    voters: tuple[int, ...]
    known: int | None
    left: tuple[int, ...]


def _fits_wide(content: Content) -> bool:
    return isinstance(content, Sheet) and _wide(content) is not None


def _wide(sheet: Sheet) -> _Wide | None:
    """A column of tasks, each once, and two columns or more whose cells come from the same few labels; None where the
    table is not like that, or half of its columns are something else."""
    header = sheet.header
    named = named_columns(header, Wish())
    if len(header) <= _VOTERS_LEAST or len(set(header)) < len(header) or {"worker", "label"} & set(named):
        return None
    rows = [row for _, row in islice(sheet.rows(), _WIDE_ROWS)]
    if len(rows) < 2 or not all(rows):
        return None
    task = 1 if _is_index(header[0]) and _different(rows, 1) else 0
    if not _different(rows, task):
        return None
    said = {place: Counter(row[place] for row in rows if row[place]) for place in range(task + 1, len(header))}
    gold = [place for place in said if _plain(header[place]) in _KNOWN]
    known = gold[0] if len(gold) == 1 else None
    if known is not None:
        del said[known]
    given = Counter(label for counts in said.values() for label in counts)
    alike = {
        place: counts
        for place, counts in said.items()
        if 2 * sum(count for label, count in counts.items() if given[label] > 1) >= counts.total() > 0
    }
    most = max(alike.values(), key=len, default=Counter())
    voters = tuple(place for place, counts in alike.items() if set(counts) & set(most))
    left = tuple(place for place, counts in said.items() if place not in voters and counts)
    every = {label for place in voters for label in alike[place]}
    fits = len(voters) >= _VOTERS_LEAST and len(left) < len(voters) and len(every) <= min(_WIDE_LABELS, len(rows))
    return _Wide(task, voters, known, left) if fits else None


def _is_index(name: str) -> bool:
    return _plain(name) in ("", "index", "unnamed0")


def _different(rows: Sequence[Sequence[str]], place: int) -> bool:
    return len({row[place] for row in rows}) == len(rows)


def _read_wide(sheet: Sheet, _wish: Wish) -> Reading:
    """One task a row, one column a voter; an empty cell is no vote."""
    table = _wide(sheet)
    assert table is not None
    rows = [
        (sheet.header[place], row[table.task], row[place], line)
        for line, row in sheet.rows()
        if row
        for place in table.voters
        if row[place]
    ]
    known = {} if table.known is None else {row[table.task]: row[table.known] for _, row in sheet.rows() if row}
    names = [sheet.header[place] for place in table.voters]
    voters = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
    notes = [f"read as a wide table: the tasks in {sheet.header[table.task]}, one column a voter ({voters})."]
    if table.left:
        notes.append(f"not read as votes: {', '.join(sheet.header[place] for place in table.left)} (other labels).")
    return Reading(
        "a wide table",
        [voter for voter, _, _, _ in rows],
        [task for _, task, _, _ in rows],
        [label for _, _, label, _ in rows],
        [line for _, _, _, line in rows],
        notes=(*sheet.notes, *notes),
        gold={task: label for task, label in known.items() if label},
        unit=sheet.unit,
    )


NAMED = Format("a table of votes", _fits_named, read_named)
WIDE = Format("a wide table", _fits_wide, _read_wide)
