"""Votes, gold and decisions as files: votes in, in whatever form, and `task,label,posterior,votes,status` out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import VotesError
from ..files import write_atomic
from ..spreadsheet import csv_text, restored
from ..types import ABSTENTIONS, LABELS
from .formats.detect import read_any, read_content, sheet_of
from .formats.types import ROLES, Reading, Sheet, Wish
from .result import Truth
from .spelling import Spelling, is_missing, same_name, spelling_of
from .votes import VotesTable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Known",
    "VotesFile",
    "decisions_text",
    "read_gold",
    "read_known",
    "read_sheet",
    "read_votes",
    "write_decisions",
]

Floats = NDArray[np.float64]
_ZONES = {"PST": "-0800", "PDT": "-0700", "UTC": "+0000", "GMT": "+0000"}
"""MTurk's results give times as `Wed Mar 04 13:03:14 PST 2020`."""
_COMMA, _POINT = r"\d+,(?:\d{1,2}|\d{4,})", r"\d*\.\d+"
"""A decimal comma that separates no thousands, and a decimal point."""
_MANY_ONCE = 20


@dataclass(frozen=True, slots=True, eq=False)
class VotesFile:
    """What a file held: the votes, their `seconds` and `submitted` times (epoch seconds; NaN where unknown).

    `abstentions` are the labels that are no answer: the table counts their votes, as no rows. `gold` are answers that
    the file itself marks as known. `spelling` says which label each written one is. `notes` explains every row or
    column that was left out, and every label that was joined with another, in sentences.
    """

    votes: VotesTable
    seconds: Floats
    submitted: Floats
    notes: tuple[str, ...] = field(default=())
    gold: Mapping[str, str] = field(default_factory=dict)
    spelling: Spelling = field(default_factory=lambda: Spelling({}, ()))
    abstentions: frozenset[str] = frozenset()


def read_votes(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    exact: bool = False,
    abstain: Sequence[str] = (),
) -> VotesFile:
    """Read a votes file in any known form; `-` is standard input.

    `columns` maps worker, task and label to the file's own column names, where its header does not say. Rows with an
    empty worker, task or label, with more cells than the header, and later votes of a worker on the same task, are left
    out and counted. Labels that are the same but for spelling are joined unless `exact`. Votes for a label in `abstain`
    say that the voter could not tell: they are no votes for a truth. Raises VotesError when the file is of no known
    form or holds no usable row.
    """
    return _understood(str(path), read_any(path, Wish(dict(columns or {}))), exact, abstain)


def read_sheet(
    sheet: Sheet, columns: Mapping[str, str] | None = None, *, exact: bool = False, abstain: Sequence[str] = ()
) -> VotesFile:
    """The same of a table that never was a file."""
    return _understood(sheet.name, read_content(sheet, Wish(dict(columns or {}))), exact, abstain)


def _understood(name: str, reading: Reading, exact: bool, abstain: Sequence[str]) -> VotesFile:
    import pandas as pd

    notes = list(reading.notes)
    spelling = _spelling(reading, exact)
    notes += spelling.notes
    cells = pd.DataFrame(
        {
            "worker": _names(reading.worker),
            "task": _names(reading.task),
            "label": [spelling.label.get(restored(label), "") for label in reading.label],
        },
        dtype=object,
    )
    said = pd.Series(reading.label, dtype=object) != ""
    kept = _usable(cells, said, reading, notes)
    if kept.empty:
        raise VotesError(f"{name} holds no usable vote; it needs rows of {', '.join(ROLES)}.")
    without = {spelling.of(label) for label in abstain} or _our_own(kept)
    notes += _abstentions(kept, without, name)
    cast = VotesTable.from_columns(kept["worker"].to_numpy(), kept["task"].to_numpy(), kept["label"].to_numpy())
    votes = cast.without_labels(without)
    answered = kept.index[~kept["label"].isin(without)]
    seconds = _measured(reading.seconds, reading, answered, _as_seconds, "working time", notes)
    submitted = _measured(reading.submitted, reading, answered, _as_times, "time of submission", notes)
    known = {same_name(restored(task)): spelling.of(label) for task, label in reading.gold.items()}
    return VotesFile(
        votes,
        seconds,
        submitted,
        (*notes, *_doubts(votes)),
        {task: label for task, label in known.items() if label and not is_missing(label, False)},
        spelling,
        frozenset(without),
    )


def _spelling(reading: Reading, exact: bool) -> Spelling:
    import pandas as pd

    counts = pd.Series([restored(label) for label in reading.label], dtype=object).value_counts()
    return spelling_of({str(label): int(count) for label, count in counts.items()}, exact=exact)


def _names(cells: Sequence[str]) -> list[str]:
    """Names as counted: ours restored, letters composed, and nothing where a program wrote that there is none."""
    known: dict[str, str] = {}
    for cell in cells:
        if cell not in known:
            name = same_name(restored(cell))
            known[cell] = "" if is_missing(name, False) else name
    return [known[cell] for cell in cells]


def _usable(cells: pd.DataFrame, said: pd.Series, reading: Reading, notes: list[str]) -> pd.DataFrame:
    """The rows that count, with their place as index; what was left out goes to `notes`."""
    at = np.array(reading.lines, dtype=np.int64)
    for role in ROLES:
        empty = (cells[role] == "") & (cells[list(ROLES[: ROLES.index(role)])] != "").all(axis=1)
        if role == "label":
            empty &= ~said  # what says that there is no label is told with the spelling
        if empty.any():
            place = f"first in {reading.unit} {at[empty.to_numpy().argmax()]}"
            notes.append(f"{_number(empty, 'row')} left out: no {role} ({place}).")
    whole = (cells != "").all(axis=1)
    twice = cells[whole].duplicated(["worker", "task"])
    if twice.any():
        other = twice & ~cells[whole].duplicated(list(ROLES))
        first = at[cells.index[whole][twice.to_numpy()][0]]
        notes.append(
            f"{_number(twice, 'row')} left out: the worker had voted on the task before; the first vote counts "
            f"({int(other.sum())} of them with another label; first in {reading.unit} {first})."
        )
    return cells[whole][~twice]


def _abstentions(kept: pd.DataFrame, without: set[str], name: str) -> list[str]:
    notes = []
    counts = kept["label"].value_counts()
    for label in sorted(without):
        if label not in counts.index:
            notes.append(f"no vote says {label!r}, which was to be an abstention; the labels are {_listed(counts)}.")
    given = [label for label in sorted(without) if label in counts.index]
    if given:
        count = int(sum(counts[label] for label in given))
        notes.append(f"{count} votes abstain ({', '.join(given)}): they count for no label.")
    if len(counts) and set(counts.index) <= without:
        raise VotesError(f"{name} holds abstentions alone; name fewer of {', '.join(given)} with --abstain.")
    return notes


def _listed(counts: pd.Series) -> str:
    return ", ".join(map(str, list(counts.index)[:12]))


def _our_own(kept: pd.DataFrame) -> set[str]:
    """What abstains in the votes on one of our own questions, which its labels tell; else nothing."""
    given = set(kept["label"])
    for question, labels in LABELS.items():
        if given <= set(labels) and given - ABSTENTIONS[question]:
            return given & ABSTENTIONS[question]
    return set()


def _doubts(votes: VotesTable) -> list[str]:
    """What to say of labels that cannot be what was meant."""
    notes = []
    if votes.n_labels == 1:
        only = votes.label_names[0]
        notes.append(f"every vote says {only!r}: nothing contradicts it, and no error can be estimated from that.")
    once = int((np.bincount(votes.labels, minlength=votes.n_labels) == 1).sum())
    if once >= _MANY_ONCE and 2 * once > votes.n_labels:
        notes.append(
            f"{once:,} of {votes.n_labels:,} labels were given once only. If people typed them, sort them into a few "
            "labels first: nobody agrees with a label of one's own."
        )
    return notes


@dataclass(frozen=True, slots=True)
class Known:
    """Known answers by task, and what was left out of their file, in sentences."""

    labels: Mapping[str, str]
    notes: tuple[str, ...] = ()


def read_gold(path: Path) -> dict[str, str]:
    """Task → known label, from a file with the columns task and label. A task with two labels is an error."""
    return dict(read_known(path).labels)


def read_known(path: Path) -> Known:
    """As `read_gold`, with what was left out of the file."""
    wanted = ("task", "label")
    sheet = sheet_of(path, wanted)
    missing = [name for name in wanted if name not in sheet.header]
    if missing:
        there = ", ".join(name or "(no name)" for name in sheet.header)
        raise VotesError(
            f"{sheet.name} has no column {', '.join(missing)}; it has {there}. Known answers need the columns task and "
            "label."
        )
    gold: dict[str, str] = {}
    blank: list[int] = []
    rows = [(line, same_name(restored(row["task"])), same_name(restored(row["label"]))) for line, row in sheet.dicts()]
    others = any(is_missing(label, False) for _, _, label in rows)
    for line, task, label in rows:
        if not task or not label or is_missing(task, False) or is_missing(label, others):
            blank.append(line)
            continue
        if gold.setdefault(task, label) != label:
            raise VotesError(f"{path}, {sheet.unit} {line}: task {task!r} has two known labels; keep one of them.")
    notes = list(sheet.notes)
    if blank:
        left_out = f"{len(blank)} row{'' if len(blank) == 1 else 's'}"
        notes.append(f"{left_out} left out: no task or no label (first in {sheet.unit} {blank[0]}).")
    if not gold:
        notes.append("holds no known answer.")
    return Known(gold, tuple(notes))


def decisions_text(truth: Truth) -> str:
    """`task,label,posterior,votes,status` as CSV, one line per task in the order of the votes; a tie has no label."""
    frame = truth.to_frame()
    frame["posterior"] = np.round(truth.confidence, 6)
    return csv_text(frame)


def write_decisions(path: Path, truth: Truth) -> None:
    """Write `decisions_text` beside `path` and rename it over."""
    write_atomic(path, decisions_text(truth))


def _number(mask: pd.Series, thing: str) -> str:
    count = int(mask.sum())
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _measured(
    cells: Sequence[str] | None,
    reading: Reading,
    rows: pd.Index,
    measure: Callable[[pd.Series], Floats],
    what: str,
    notes: list[str],
) -> Floats:
    """A column of measurements, NaN where there is none; what is written and cannot be read goes to `notes`."""
    import pandas as pd

    if cells is None:
        return np.full(len(rows), np.nan)
    written = pd.Series(cells, dtype=object).loc[rows].map(str.strip)
    found = measure(written)
    lost = np.isnan(found) & ~written.map(lambda cell: not cell or is_missing(cell, True)).to_numpy(dtype=bool)
    if lost.any():
        first = int(lost.argmax())
        notes.append(
            f"{int(lost.sum())} of {len(rows)} cells say no {what} and are not used (first in {reading.unit} "
            f"{reading.lines[rows[first]]}: {written.iloc[first]!r})."
        )
    return found


def _as_seconds(written: pd.Series) -> Floats:
    import pandas as pd

    if written.str.fullmatch(_COMMA).any() and not written.str.fullmatch(_POINT).any():
        written = written.str.replace(",", ".", regex=False)
    seconds = np.asarray(pd.to_numeric(written, errors="coerce"), dtype=np.float64)
    return np.where(np.isfinite(seconds) & (seconds >= 0), seconds, np.nan)


def _as_times(written: pd.Series) -> Floats:
    import pandas as pd

    times = pd.to_datetime(written, errors="coerce", utc=True, format="ISO8601")
    if times.isna().all():
        zoned = written.replace({rf"\b{name}\b": offset for name, offset in _ZONES.items()}, regex=True)
        times = pd.to_datetime(zoned, errors="coerce", utc=True, format="%a %b %d %H:%M:%S %z %Y")
    if times.isna().all():
        times = pd.to_datetime(written, errors="coerce", utc=True, format="%m/%d/%Y %H:%M:%S")
    if times.isna().all():
        return _since_1970(np.asarray(pd.to_numeric(written, errors="coerce"), dtype=np.float64))
    stamps = (times - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(seconds=1)
    return np.asarray(stamps, dtype=np.float64)


def _since_1970(counts: Floats) -> Floats:
    """Seconds since 1970, from a column of them or of thousandths, millionths or billionths; NaN before 1973."""
    usual = float(np.nanmedian(counts)) if np.isfinite(counts).any() else 0.0
    unit = next((unit for unit in (1.0, 1e3, 1e6, 1e9) if usual < 1e11 * unit), 1.0)
    seconds = counts / unit
    return np.where((seconds >= 1e8) & (seconds < 1e11), seconds, np.nan)
