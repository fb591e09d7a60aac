"""Which commands a page may start, and with which choices. A job's file names a kind and choices, never a command line:
whoever made the workspace cannot have another command run, nor one with other options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import StageError

__all__ = ["KINDS", "Kind", "command"]

_Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A command that may be started: `title` for people, `choices` what may be said, by option, with its check. An
    option whose only word is `yes` is a flag. `word` is the command; with `takes_files` it gets paths that a person
    named, each behind `file_option` where there is one. Such a job is started by that person's own click only."""

    title: str
    word: str
    choices: Mapping[str, _Check]
    takes_files: bool = False
    file_option: str = ""
    engine_options: frozenset[str] = frozenset()
    """Choices that the engine knows, not the command: they go behind `-o`."""


def _one_of(*words: str) -> _Check:
    return lambda text: text in words


def _whole(least: int, most: int) -> _Check:
    return lambda text: text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most


def _minutes(text: str) -> bool:
    return re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text, re.ASCII) is not None and float(text) > 0


def _seconds(text: str) -> bool:
    return re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII) is not None


def _ranges(text: str) -> bool:
    return re.fullmatch(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?){0,99}", text, re.ASCII) is not None


def _word(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text) is not None


def _model(text: str) -> bool:
    """A run's id or the name of a folder of models/."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text, re.ASCII) is not None


def _film(text: str) -> bool:
    """The name of a film of results/."""
    return text.isprintable() and not set(text) & set("/\\\0") and not text.startswith(("-", ".")) and len(text) <= 255


def _line(text: str) -> bool:
    """A name or a note. A leading dash would be an option."""
    return len(text) <= 500 and text.isprintable() and not text.startswith("-")


_YES = _one_of("yes")
_SIDE = _one_of("a", "b")

KINDS: Mapping[str, Kind] = {
    "ingest": Kind(
        "Take footage in",
        "ingest",
        {
            "side": _SIDE,
            "person": _line,
            "basis": _one_of("own", "consent", "licence", "public-domain"),
            "note": _line,
            "fix": _YES,
            "together": _YES,
        },
        takes_files=True,
    ),
    "reference": Kind("Take photographs in", "ingest", {"side": _SIDE}, takes_files=True, file_option="--reference"),
    "extract": Kind("Find faces", "extract", {"side": _SIDE, "every-nth": _whole(1, 1000), "again": _YES}),
    "train": Kind(
        "Train",
        "train",
        {
            "minutes": _minutes,
            "iterations": _whole(1, 9_999_999),
            "model": _word,
            "batch-size": _whole(1, 512),
            "best": _whole(1, 999_999),
            "occlusion": _one_of("no"),
        },
        engine_options=frozenset({"occlusion"}),
    ),
    "convert": Kind(
        "Make the film",
        "convert",
        {
            "source": _line,
            "model": _model,
            "codec": _one_of("h264", "h265", "prores", "ffv1", "png"),
            "crf": _whole(0, 63),
            "where": _one_of("approved"),
            "frames": _ranges,
            "skip": _ranges,
            "again": _ranges,
            "film": _film,
            "leave": _YES,
        },
    ),
    "report": Kind("Count the agreement", "report", {}),
    "glimpse": Kind("Swap a second", "glimpse", {"at": _seconds, "seconds": _seconds, "source": _line}),
}


def command(kind: str, choices: Mapping[str, str], files: tuple[str, ...] = ()) -> list[str]:
    """The words after `galloway` for a kind with its choices; empty ones are left out. Raises StageError for a kind or
    a choice that there is not, and for a value that does not fit."""
    found = KINDS.get(kind)
    if found is None:
        raise StageError(f"There is no job {kind[:60]!r}. There are {', '.join(KINDS)}.")
    words = [found.word]
    for name, text in choices.items():
        check = found.choices.get(name)
        if check is None:
            raise StageError(f"{found.title}: there is no choice {name[:60]!r}.")
        if text and not check(text):
            raise StageError(f"{found.title}: {text[:60]!r} does not fit {name.replace('-', ' ')}.")
        if text:
            words += ["-o", f"{name}={text}"] if name in found.engine_options else _said(name, text, check)
    return words + _with_files(found, files)


def _said(name: str, text: str, check: _Check) -> list[str]:
    if check is _YES:
        return [f"--{name}"]
    if check is _ranges:
        return [word for part in text.split(",") for word in (f"--{name}", part)]
    return [f"--{name}", text]


def _with_files(found: Kind, files: tuple[str, ...]) -> list[str]:
    if bool(files) != found.takes_files:
        raise StageError(f"{found.title}: {'name the files' if found.takes_files else 'it takes no files'}.")
    if found.file_option:
        return [word for path in files for word in (found.file_option, path)]
    return ["--", *files] if files else []
