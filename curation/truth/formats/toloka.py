"""Toloka's assignments (TSV): `INPUT:`, `OUTPUT:`, `GOLDEN:` and `ASSIGNMENT:` columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from .answers import resolve
from .types import Answer, Content, Format, Reading, Sheet, Wish

__all__ = ["ASSIGNMENTS"]

_FORM = "assignments of Toloka"
_COUNTED = frozenset({"", "APPROVED", "ACCEPTED", "SUBMITTED"})


def _fits(content: Content) -> bool:
    return isinstance(content, Sheet) and "ASSIGNMENT:worker_id" in content.header


def _read(sheet: Sheet, wish: Wish) -> Reading:
    inputs = [name for name in sheet.header if name.startswith("INPUT:")]
    rows = list(sheet.dicts())
    answers, out, gold = [], Counter[str](), {}
    for line, row in rows:
        if status := _left_out(row):
            out[status] += 1
            continue
        task = " ".join(row[name] for name in inputs if row[name]) or row.get("ASSIGNMENT:task_id", "")
        given = {
            name.removeprefix("OUTPUT:"): cell for name, cell in row.items() if name.startswith("OUTPUT:") and cell
        }
        known = [cell for name, cell in row.items() if name.startswith("GOLDEN:") and cell]
        if len(known) == 1:
            gold[task] = known[0]
        worker, submitted = row["ASSIGNMENT:worker_id"], row.get("ASSIGNMENT:submitted", "")
        answers.append(Answer(worker, task, given, line, submitted=submitted))
    notes = [f"{count} answers left out: {status}." for status, count in sorted(out.items())]
    return resolve(_FORM, sheet.name, answers, wish, notes=notes, gold=gold, unit=sheet.unit)


def _left_out(row: Mapping[str, str]) -> str:
    status = row.get("ASSIGNMENT:status", "")
    return "" if status.upper() in _COUNTED else status.lower()


ASSIGNMENTS = Format(_FORM, _fits, _read, _left_out)
