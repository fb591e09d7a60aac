"""Mechanical Turk: the results of a batch (CSV), and the assignments of its API (JSON).

Columns as the requester's site writes them: `HITId`, `WorkerId`, `AssignmentStatus`, `Input.*`, `Answer.*`. A form of
several fields has several `Answer.*`; crowd elements write one column a choice (`Answer.kind.keep` true or false) or
all as JSON in `Answer.taskAnswers`. The API gives a QuestionFormAnswers document (AWS, API reference, data structures).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .answers import resolve
from .nested import read_json
from .types import Answer, Content, Format, Reading, Records, Sheet, Wish, refuse, text_of

__all__ = ["API", "BATCH", "flattened"]

_ANSWER, _INPUT, _JSON = "Answer.", "Input.", "taskAnswers"
_TRUE, _FALSE = "true", "false"


def _fits_batch(content: Content) -> bool:
    if not isinstance(content, Sheet):
        return False
    header = set(content.header)
    return {"WorkerId", "HITId"} <= header and any(name.startswith(_ANSWER) for name in header)


def _read_batch(sheet: Sheet, wish: Wish) -> Reading:
    rows = list(sheet.dicts())
    kept = [(line, row) for line, row in rows if not _rejected(row)]
    tasks, said = _tasks(sheet.header, [row for _, row in kept])
    notes = [*_left_out(len(rows) - len(kept), "rejected"), *said]
    answers = [
        Answer(
            row["WorkerId"],
            task,
            _choices(_given(sheet.name, line, row)),
            line,
            row.get("WorkTimeInSeconds", ""),
            row.get("SubmitTime", ""),
        )
        for (line, row), task in zip(kept, tasks, strict=True)
    ]
    return resolve("results of a Mechanical Turk batch", sheet.name, answers, wish, notes=notes, unit=sheet.unit)


def _rejected(row: Mapping[str, str]) -> str:
    rejected = row.get("AssignmentStatus", "").casefold() == "rejected" or row.get("Reject", "")
    return "rejected" if rejected else ""


def _left_out(count: int, why: str) -> list[str]:
    return [f"{count} assignment{'' if count == 1 else 's'} left out: {why}."] if count else []


def _tasks(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """The one input of each HIT, by which one that was published again is the same task, else the HIT's id; and what to
    say about it."""
    inputs = [name for name in header if name.startswith(_INPUT)]
    if len(inputs) == 1 and _names_tasks(inputs[0], rows):
        hits, values = (len({row[name] for row in rows}) for name in ("HITId", inputs[0]))
        joined = f"{hits} HITs are {values} tasks, by {inputs[0]}: some were published more than once."
        return [row[inputs[0]] for row in rows], [joined] if hits > values else []
    said = (
        f"each HIT is a task, and one that was published again is another: {', '.join(inputs[:8])} "
        f"{'does' if len(inputs) == 1 else 'do'} not say what it is about. Name what does with --task-column."
    )
    return [row["HITId"] for row in rows], [said] if inputs else []


def _names_tasks(column: str, rows: Sequence[Mapping[str, str]]) -> bool:
    """Whether every HIT has one value of the column, and no worker the same again and again: then it is what is asked
    about, not a setting of the page."""
    pairs = {(row["HITId"], row[column]) for row in rows}
    asked = len({(row["WorkerId"], row[column]) for row in rows})
    alone = len(pairs) == len({hit for hit, _ in pairs}) and all(value for _, value in pairs)
    return alone and 2 * asked > len({(row["WorkerId"], row["HITId"]) for row in rows})


def _given(name: str, line: int, row: Mapping[str, str]) -> dict[str, str]:
    given = {column.removeprefix(_ANSWER): cell for column, cell in row.items() if column.startswith(_ANSWER)}
    if _JSON in given:
        try:
            given |= flattened(read_json(given.pop(_JSON) or "[]"))
        except json.JSONDecodeError as error:
            raise refuse(name, f"holds no JSON in Answer.taskAnswers, line {line} ({error.msg}).") from error
    return {question: cell for question, cell in given.items() if cell}


def flattened(value: Any, path: str = "") -> dict[str, str]:
    """Dotted path → text of every plain value in nested JSON; a lone array element needs no number."""
    if isinstance(value, dict):
        parts = [flattened(part, f"{path}.{key}" if path else str(key)) for key, part in value.items()]
    elif isinstance(value, list) and len(value) != 1:
        parts = [flattened(part, f"{path}.{place}") for place, part in enumerate(value)]
    elif isinstance(value, list):
        parts = [flattened(value[0], path)]
    else:
        parts = [{path: text_of(value)}]
    return {key: text for part in parts for key, text in part.items()}


def _choices(given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Radio buttons and check boxes as one question: `kind.keep` true and `kind.reject` false is `kind`: keep."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for question, cell in given.items():
        stem, _, choice = question.removesuffix(".on").rpartition(".")
        if stem and cell.casefold() in (_TRUE, _FALSE):
            groups[stem][choice] = cell.casefold()
    found: dict[str, str | list[str]] = {}
    for question, cell in given.items():
        stem = question.removesuffix(".on").rpartition(".")[0]
        if len(groups.get(stem, ())) > 1:
            found[stem] = [choice for choice, state in groups[stem].items() if state == _TRUE]
        else:
            found[question.removesuffix(".label")] = cell
    return found


def _fits_api(content: Content) -> bool:
    return isinstance(content, Records) and ("Assignments" in content.first or "AssignmentStatus" in content.first)


def _read_api(records: Records, wish: Wish) -> Reading:
    items = [one for item in records.items for one in item.get("Assignments", [item])]
    kept = [(place, one) for place, one in enumerate(items, 1) if one.get("AssignmentStatus") != "Rejected"]
    answers = [
        Answer(
            text_of(one.get("WorkerId")),
            text_of(one.get("HITId")),
            _choices(dict(_document(records.name, place, text_of(one.get("Answer"))))),
            place,
            submitted=text_of(one.get("SubmitTime")),
        )
        for place, one in kept
    ]
    notes = _left_out(len(items) - len(kept), "rejected")
    return resolve("assignments of Mechanical Turk's API", records.name, answers, wish, notes=notes, unit="record")


def _document(name: str, place: int, text: str) -> Iterator[tuple[str, str]]:
    """(question, answer) of a QuestionFormAnswers document."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(text)
    except ParseError as error:
        raise refuse(name, f"holds no QuestionFormAnswers in assignment {place} ({error}).") from error
    for answer in root.iterfind("{*}Answer"):
        question = answer.findtext("{*}QuestionIdentifier", "")
        chosen = [one.text or "" for one in answer.iterfind("{*}SelectionIdentifier")]
        said = "|".join(chosen) if chosen else answer.findtext("{*}FreeText", "") or ""
        if question == _JSON:
            yield from flattened(read_json(said or "[]")).items()
        else:
            yield question, said


BATCH = Format("results of a Mechanical Turk batch", _fits_batch, _read_batch, _rejected)
API = Format("assignments of Mechanical Turk's API", _fits_api, _read_api)
