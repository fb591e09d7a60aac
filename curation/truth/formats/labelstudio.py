"""Label Studio: the JSON export with all annotations, and the CSV and JSON-MIN exports with one annotation a row.

A row's columns are the task's data, `id`, one column a control, then `annotator`, `annotation_id` and times; or all of
them in the order of the alphabet.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import resolve
from .nested import read_json
from .types import Answer, Content, Format, Reading, Records, Sheet, Wish, refuse, text_of

__all__ = ["EXPORT", "ROWS"]

_FORM = "an export of Label Studio"
_OWN = frozenset({"annotation_id", "annotator", "created_at", "id", "lead_time", "updated_at", "agreement"})
_KINDS = ("choices", "rating", "text", "number", "taxonomy", "datetime")


def _fits_export(content: Content) -> bool:
    return (
        isinstance(content, Records) and isinstance(content.first.get("annotations"), list) and "data" in content.first
    )


def _read_export(records: Records, wish: Wish) -> Reading:
    answers, gold, cancelled = [], {}, 0
    for place, item in enumerate(records.items, 1):
        task = _task(item)
        for one in item.get("annotations", ()):
            if one.get("was_cancelled"):
                cancelled += 1
                continue
            given = dict(_results(one))
            answers.append(
                Answer(
                    _who(one.get("completed_by")),
                    task,
                    given,
                    place,
                    text_of(one.get("lead_time")),
                    text_of(one.get("created_at")),
                )
            )
            if one.get("ground_truth") and len(given) == 1:
                gold[task] = "|".join(next(iter(given.values())))
    notes = [f"{cancelled} annotations left out: skipped."] if cancelled else []
    return resolve(_FORM, records.name, answers, wish, notes=notes, gold=gold, unit="record")


def _task(item: Mapping[str, Any]) -> str:
    """The task's one piece of data, a picture's address say, where it is short; else its id."""
    data = [value for value in (item.get("data") or {}).values() if isinstance(value, str)]
    return data[0] if len(data) == 1 and len(data[0]) <= 300 else text_of(item.get("id"))


def _who(by: Any) -> str:
    return text_of(by.get("email") or by.get("id")) if isinstance(by, dict) else text_of(by)


def _results(annotation: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    found = []
    for result in annotation.get("result", ()):
        value = result.get("value", {})
        kind = next((one for one in _KINDS if one in value), None)
        if kind is not None:
            said = value[kind] if isinstance(value[kind], list) else [value[kind]]
            found.append((text_of(result.get("from_name")), [_leaf(one) for one in said]))
    return found


def _leaf(value: Any) -> str:
    return "/".join(map(text_of, value)) if isinstance(value, list) else text_of(value)


def _fits_rows(content: Content) -> bool:
    return isinstance(content, Sheet) and {"annotator", "annotation_id", "id"} <= set(content.header)


def _read_rows(sheet: Sheet, wish: Wish) -> Reading:
    first, last = sheet.header.index("id"), sheet.header.index("annotator")
    data, controls = list(sheet.header[:first]), list(sheet.header[first + 1 : last])
    if first > last or not controls:
        data, controls = _by_content(sheet)
    if not controls:
        raise refuse(sheet.name, "holds no control of Label Studio beside the columns of its data.")
    answers = [
        Answer(
            row["annotator"],
            row[data[0]] if len(data) == 1 and row[data[0]] else row["id"],
            {name: _cell(row[name]) for name in controls if row[name]},
            line,
            row.get("lead_time", ""),
            row.get("created_at", ""),
        )
        for line, row in sheet.dicts()
    ]
    return resolve(_FORM, sheet.name, answers, wish, unit=sheet.unit)


def _by_content(sheet: Sheet) -> tuple[list[str], list[str]]:
    """Data and controls where columns stand in the order of the alphabet: data say one thing of a task, whoever
    annotates it, and something else of the next one."""
    said: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in sheet.header if name not in _OWN}
    for _, row in sheet.dicts():
        for name, tasks in said.items():
            tasks[row["id"]].add(row[name])
    data = [name for name, tasks in said.items() if _one_each(list(tasks.values()))]
    return data, [name for name in said if name not in data]


def _one_each(tasks: Sequence[set[str]]) -> bool:
    """Whether every task has one value, and no two the same."""
    return all(len(values) == 1 for values in tasks) and len(set.union(set(), *tasks)) == len(tasks)


def _cell(text: str) -> str | list[str]:
    """Several choices come as JSON in the cell."""
    if not text.startswith(("{", "[")):
        return text
    try:
        value = read_json(text)
    except json.JSONDecodeError:
        return text
    found = value.get("choices", text) if isinstance(value, dict) else value
    return [_leaf(one) for one in found] if isinstance(found, list) else text


EXPORT = Format(_FORM, _fits_export, _read_export)
ROWS = Format(_FORM, _fits_rows, _read_rows)
