"""CrowdFlower, Figure Eight, Appen: the full report, with test questions (`_golden`) and their `NAME_gold` columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from .answers import resolve
from .types import Answer, Content, Format, Reading, Sheet, Wish, refuse

__all__ = ["FULL_REPORT"]

_FORM = "a full report of CrowdFlower or Figure Eight"
_TAINTED = "of tainted contributors"


def _fits(content: Content) -> bool:
    return isinstance(content, Sheet) and "_unit_id" in content.header


def _read(sheet: Sheet, wish: Wish) -> Reading:
    if "_worker_id" not in sheet.header:
        raise refuse(
            sheet.name, "is an aggregated report, without who said what; download the full report of the job instead."
        )
    rows = list(sheet.dicts())
    asked = _asked(sheet, rows)
    kept = [(line, row) for line, row in rows if not _tainted(row)]
    answers = [
        Answer(
            row["_worker_id"],
            row["_unit_id"],
            {name: row[name].split("\n") for name in asked if row[name]},
            line,
            submitted=row.get("_created_at", ""),
        )
        for line, row in kept
    ]
    out = len(rows) - len(kept)
    notes = [f"{out} judgments left out: {_TAINTED}."] if out else []
    gold, several = _gold(rows, wish.label or (asked[0] if len(asked) == 1 else ""))
    if several:
        notes.append(f"{several} test questions accept several answers: these are not taken as known.")
    return resolve(_FORM, sheet.name, answers, wish, notes=notes, gold=gold, unit=sheet.unit)


def _tainted(row: Mapping[str, str]) -> str:
    return _TAINTED if row.get("_tainted", "").casefold() == "true" else ""


def _asked(sheet: Sheet, rows: list[tuple[int, dict[str, str]]]) -> list[str]:
    """The questions: columns with a gold column beside them, else those that differ within a unit."""
    names = [name for name in sheet.header if not name.startswith("_") and not name.endswith(("_gold", "_gold_reason"))]
    with_gold = [name for name in names if f"{name}_gold" in sheet.header]
    if with_gold:
        return with_gold
    seen: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in names}
    for _, row in rows:
        for name in names:
            seen[name][row["_unit_id"]].add(row[name])
    return [name for name in names if any(len(values) > 1 for values in seen[name].values())] or names


def _gold(rows: list[tuple[int, dict[str, str]]], question: str) -> tuple[dict[str, str], int]:
    """Unit → the answer of a test question, and how many accept several."""
    known = {row["_unit_id"]: row.get(f"{question}_gold", "") for _, row in rows}
    single = {unit: answer for unit, answer in known.items() if answer and "\n" not in answer}
    return single, sum("\n" in answer for answer in known.values())


FULL_REPORT = Format(_FORM, _fits, _read, _tainted)
