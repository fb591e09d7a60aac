"""Zooniverse's classifications (CSV with JSON in cells): `annotations`, `metadata`, `subject_ids`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .answers import resolve
from .nested import read_json
from .types import Answer, Content, Format, Reading, Sheet, Wish, refuse, text_of

__all__ = ["CLASSIFICATIONS"]

_FORM = "classifications of Zooniverse"


def _fits(content: Content) -> bool:
    return isinstance(content, Sheet) and {"classification_id", "annotations", "subject_ids"} <= set(content.header)


def _read(sheet: Sheet, wish: Wish) -> Reading:
    rows = list(sheet.dicts())
    several = len({row.get("workflow_id", "") for _, row in rows}) > 1
    answers, gold = [], {}
    for line, row in rows:
        prefix = f"{row.get('workflow_id', '')}:" if several else ""
        given = {
            f"{prefix}{task}": said for task, said in _said(_parsed(sheet.name, line, row["annotations"])) if any(said)
        }
        task = row["subject_ids"]
        if row.get("gold_standard", "").casefold() == "true":
            if len(given) == 1:
                gold[task] = "|".join(next(iter(given.values())))
            continue
        seconds = _seconds(_parsed(sheet.name, line, row.get("metadata") or "{}"))
        worker = row.get("user_name") or row.get("user_ip", "")
        answers.append(Answer(worker, task, given, line, seconds, row.get("created_at", "").replace(" UTC", "+00:00")))
    return resolve(_FORM, sheet.name, answers, wish, gold=gold, unit=sheet.unit)


def _parsed(name: str, line: int, cell: str) -> Any:
    try:
        return read_json(cell or "[]")
    except json.JSONDecodeError as error:
        raise refuse(name, f"holds no JSON in line {line} ({error.msg}).") from error


def _said(annotations: Any) -> Iterator[tuple[str, list[str]]]:
    """(task, labels); a combination task holds others, and what is drawn or marked is no label."""
    for one in annotations:
        value = one.get("value")
        if isinstance(value, list) and value and all(isinstance(part, dict) and "task" in part for part in value):
            yield from _said(value)
        elif isinstance(value, list):
            yield text_of(one.get("task")), [text_of(part) for part in value if not isinstance(part, dict | list)]
        elif not isinstance(value, dict):
            yield text_of(one.get("task")), [text_of(value)]


def _seconds(metadata: Any) -> str:
    try:
        began, ended = (datetime.fromisoformat(metadata[name]) for name in ("started_at", "finished_at"))
    except (KeyError, TypeError, ValueError):
        return ""
    return str((ended - began).total_seconds())


CLASSIFICATIONS = Format(_FORM, _fits, _read)
