"""Which format a file is of: the first that its header fits, from the most particular to the most general."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from ...errors import VotesError
from . import annotators, crowdflower, cvat, labelstudio, mturk, sagemaker, toloka, zooniverse
from .containers import flat, open_content
from .plain import NAMED, WIDE, read_named
from .source import open_source
from .types import ROLES, Content, Format, Reading, Records, Sheet, Wish

__all__ = ["FORMATS", "read_any", "read_content", "sheet_of"]

FORMATS: tuple[Format, ...] = (
    mturk.BATCH,
    mturk.API,
    crowdflower.FULL_REPORT,
    toloka.ASSIGNMENTS,
    zooniverse.CLASSIFICATIONS,
    labelstudio.EXPORT,
    labelstudio.ROWS,
    sagemaker.CONSOLIDATION,
    sagemaker.RESPONSES,
    sagemaker.MANIFEST,
    annotators.LABELBOX,
    annotators.ARGILLA,
    annotators.PRODIGY,
    annotators.DOCCANO,
    cvat.IMAGES,
    NAMED,
    WIDE,
)


def read_any(path: Path, wish: Wish) -> Reading:
    """The votes in the file at `path`. Raises VotesError where it is of no known format, or of one without votes."""
    return read_content(_opened(path, wish), wish)


def read_content(content: Content, wish: Wish) -> Reading:
    """The votes in what a file holds, or what never was a file. Raises as read_any."""
    if isinstance(content, Sheet) and ({"worker", "task"} & set(wish.columns) or set(ROLES) <= set(content.header)):
        return read_named(_counted(content), wish)
    if isinstance(content, Sheet) and "label" in wish.columns and not any(_particular(content)):
        return read_named(content, wish)
    for one in FORMATS:
        if one.fits(content):
            return one.read(content, wish)
    if isinstance(content, Sheet):
        return read_named(content, wish)
    raise VotesError(
        f"{content.name} is JSON or XML of no known kind; write it as a table with the columns {','.join(ROLES)}, one "
        "vote a row."
    )


def _counted(sheet: Sheet) -> Sheet:
    """The table without the rows that its own format leaves out: to name columns makes no vote of a rejected answer."""
    why_not = next((one.left_out for one in FORMATS if one.left_out is not None and one.fits(sheet)), None)
    if why_not is None:
        return sheet
    kept: list[tuple[int, list[str]]] = []
    out = Counter[str]()
    for line, row in sheet.rows():
        why = why_not(dict(zip(sheet.header, row, strict=True))) if row else ""
        if why:
            out[why] += 1
        else:
            kept.append((line, row))
    notes = [f"{count} row{'' if count == 1 else 's'} left out: {why}." for why, count in sorted(out.items())]
    return replace(sheet, rows=lambda: iter(kept), notes=(*sheet.notes, *notes))


def _particular(content: Content) -> list[bool]:
    return [one.fits(content) for one in FORMATS if one not in (NAMED, WIDE)]


def _opened(path: Path, wish: Wish) -> Content:
    source = open_source(path)
    content = open_content(source, [wish.columns.get(role, role) for role in ROLES])
    if isinstance(content, Records) and not any(one.fits(content) for one in FORMATS):
        table = flat(content)
        return content if table is None else table
    return content


def sheet_of(path: Path, wanted: tuple[str, ...]) -> Sheet:
    """The table in the file at `path`, for what is no votes file. Raises VotesError where it holds none."""
    content = open_content(open_source(path), wanted)
    table = flat(content) if isinstance(content, Records) else content
    if not isinstance(table, Sheet):
        raise VotesError(f"{content.name} is no table; it needs the columns {','.join(wanted)}.")
    return table
