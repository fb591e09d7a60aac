"""Measure a converted film: the field's measures of every swapped face, beside the film as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...curation.files import write_atomic
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..engines.base import FrameRange, frames_in, spans, swap_share
from ..engines.frames import open_source
from ..errors import StageError
from ..measures.figures import measure
from ..measures.see import look, people_of, person_of
from ..measures.values import NOTICEABLE, SERIES, Measured
from ..video.numbers import numbers_of
from ..wording import typed
from ..workspace.films import FILM_SUFFIXES, found_beside
from ..workspace.records import Source, sources
from ..workspace.state import read_state
from .masking import standing_alignments

__all__ = [
    "LEFT_OUT",
    "FilmMeasured",
    "command_approved",
    "command_without",
    "figures_of",
    "film_record",
    "footage_of",
    "left_out",
    "measure_film",
    "noted_ranges",
    "worth_a_look",
]

LEFT_OUT = "left out: "
"""What a film's record says of label and mark before the reason why it has none."""


@dataclass(frozen=True, slots=True)
class FilmMeasured:
    """A film's measures, and the file they were written to."""

    film: Path
    source: str
    found: Measured
    written: Path


def measure_film(app: App, film: Path, progress: Progress = no_progress) -> FilmMeasured:
    """Measure a film that `convert` wrote, against side A's footage and side B's faceset.

    Writes `<film>.measures.json` beside it. Raises StageError where the film is none of this workspace's, or where no
    face of it was swapped.
    """
    record = film_record(film)
    source = footage_of(app, film, str(record["source"]))
    path = app.workspace.alignments_dir(Side.A) / f"{source.name}_alignments.fsa"
    known = standing_alignments(app, source, path).frames
    whole = _whole_swaps(record, numbers_of(known, source.path))
    faces = {name: frame for name, frame in known.items() if name in whole}
    b = person_of(app.workspace.faces_dir(Side.B))
    seen = look(open_source(source.path), open_source(film), faces, progress)
    if not seen:
        raise StageError(f"No face of {source.name} is swapped in {film.name}. Convert it first: galloway convert")
    found = measure(seen, people_of(seen, b))
    written = film.with_name(f"{film.name}.measures.json")
    told = {"film": film.name, "source": source.name, "sha256": record["sha256"], **figures_of(found)}
    write_atomic(written, json.dumps(told, indent=1) + "\n")
    return FilmMeasured(film, source.name, found, written)


def figures_of(found: Measured) -> dict[str, Any]:
    """The measures as plain values: mean and worst of each with its frame, what the whole film has, and the frames that
    are worth a look."""
    series = {}
    for name in SERIES:
        worst, frame = found.worst(name)
        series[name] = {"mean": _plain(found.mean(name)), "worst": _plain(worst), "frame": frame}
    return {
        "frames": len(found.frames),
        "measures": series,
        "film": {name: _plain(value) for name, value in found.whole.items()},
        "worth_a_look": worth_a_look(found),
        "noticeable": dict(NOTICEABLE),
        "by_frame": _by_frame(found),
    }


def worth_a_look(found: Measured) -> list[str]:
    """Ranges of frames in which a measure is noticeable, "FIRST-LAST", as `convert --skip` takes them."""
    wanted = [int(frame) for frame in found.frames[found.doubt() > 1]]
    return [f"{span.first}-{span.last}" if span.last > span.first else str(span.first) for span in spans(wanted)]


def command_without(app: App, film: Path, ranges: Sequence[str]) -> str:
    """The command by which these frames of a film become the source's own and all else of it stays as it was made."""
    record = film_record(film)
    if (
        _in_results(app, film)
        and film.suffix.lower() in FILM_SUFFIXES
        and {"swapped_frames", "settings", "frames"} <= record.keys()
    ):
        again = " ".join(f"--again {item}" for item in ranges)
        return f"galloway convert --film {typed(film.name)} {again} --leave"
    settings = dict(record.get("settings") or {})
    named = {"source": record["source"], "output": film}
    named |= {key: settings.pop(key, None) for key in ("model", "codec", "crf", "preset", "mask", "color", "fade")}
    named |= {f"no-{key}": why for key in ("label", "mark") if (why := left_out(record, key))}
    if not film.is_dir() and footage_of(app, film, str(record["source"])).path.is_dir():
        named["rate"] = open_source(film).rate
    before = (f"{span.first}-{span.last}" for span in noted_ranges(record, "skip"))
    told = [f"--{key} {typed(str(value))}" for key, value in named.items() if value is not None]
    told += [f"-o {typed(f'{key}={value}')}" for key, value in settings.items()]
    return " ".join(["galloway convert", *told, *(f"--skip {item}" for item in (*before, *ranges))])


def command_approved(app: App, film: Path) -> str:
    """The command by which what people said does not hold in a film keeps its own pixels."""
    if _in_results(app, film):
        return f"galloway convert --where approved --film {typed(film.name)}"
    source = typed(str(film_record(film)["source"]))
    return f"galloway convert --where approved --source {source} --output {typed(str(film))}"


def _in_results(app: App, film: Path) -> bool:
    return film.resolve().parent == (app.workspace.root / "results").resolve()


def _by_frame(found: Measured) -> list[list[Any]]:
    """Each swapped frame: its number, its worst measure, and that in shares of what is noticeable."""
    worst = found.worst_of_frames()
    doubts = found.doubt()
    return [
        [int(frame), name, round(float(doubt), 3)]
        for frame, name, doubt in zip(found.frames, worst, doubts, strict=True)
    ]


def _plain(value: float) -> float | None:
    """Rounded, None for what is not known: JSON has no NaN."""
    return round(value, 4) if value == value else None


def film_record(film: Path) -> dict[str, Any]:
    """What `convert` wrote down of a film. Raises StageError where it wrote nothing."""
    record = found_beside(film).record
    remedy = f"Name a film that convert wrote, with its record {record.name} beside it."
    if not film.exists():
        raise StageError(f"{film} does not exist. {remedy}")
    if not record.is_file():
        raise StageError(f"{film} has no record of its conversion. {remedy}")
    return read_state(record, remedy, needs=("source", "sha256"))


def footage_of(app: App, film: Path, name: str) -> Source:
    """Side A's footage of that name, from which the film was made. Raises StageError where it is not here."""
    for source in sources(app.workspace, Side.A):
        if source.name == name:
            return source
    raise StageError(f"{film.name} was made of {name}, which is no footage of side A here. Ingest it: galloway ingest")


def noted_ranges(record: Mapping[str, Any], key: str) -> tuple[FrameRange, ...]:
    """The ranges of frames that a film's record has under `key`; none where it has no such key."""
    return tuple(FrameRange(int(first), int(last)) for first, last in record.get(key) or [])


def left_out(record: Mapping[str, Any], key: str) -> str:
    """Why a film has no label or no mark (`key`); "" where it has one."""
    text = str(record.get(key, ""))
    return text.removeprefix(LEFT_OUT) if text.startswith(LEFT_OUT) else ""


def _whole_swaps(record: Mapping[str, Any], numbers: Mapping[str, int]) -> Collection[str]:
    """Which of these frames show all of a swap. One that shows half of it, beside what is left, has nothing of its own
    that could be judged. Earlier releases did not note which frames are swapped."""
    skip, fade = noted_ranges(record, "skip"), int(record.get("settings", {}).get("fade") or 0)
    swapped = frames_in(noted_ranges(record, "swapped_frames")) if "swapped_frames" in record else None
    return {
        name
        for name, number in numbers.items()
        if (swapped is None or number in swapped) and swap_share(number, skip, fade) == 1
    }
