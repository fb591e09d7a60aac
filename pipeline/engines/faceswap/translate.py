"""Old faceswap command lines in today's words. Pure: nothing is run, nothing is passed on untranslated."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

from ..base import EngineError
from .spellings import JOBS, Spelling, find_spelling, sub_commands

__all__ = ["LINES", "Change", "Translation", "translate"]

LINES = ("v2.3.0", "master")


@dataclass(frozen=True, slots=True)
class Change:
    """What was written, what it became ("" where it was dropped), and why."""

    old: str
    new: str
    why: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A command line for one line of faceswap. `refused` says why there is none; `command` is then empty."""

    line: str
    command: tuple[str, ...]
    changes: tuple[Change, ...]
    refused: str = ""

    def __str__(self) -> str:
        return shlex.join(self.command)


@dataclass(slots=True)
class _Part:
    """One switch with its values; the first part has no switch."""

    switch: str
    values: list[str]


def translate(command_line: str, line: str = "master") -> Translation:
    """`command_line` in the words of `line` ("v2.3.0" or "master").

    It may begin with `python` and a path. Raises EngineError where it is not a faceswap command at all.
    """
    if line not in LINES:
        raise EngineError(f"There is no line {line!r}. Choose one of: {', '.join(LINES)}.")
    script, command, rest = _head(command_line)
    changes: list[Change] = []
    if command == "restore":
        changes.append(Change("restore", "model -j restore", "it is a job of the model tool today"))
        command, rest = "model", ["-j", "restore", *rest]
    words: list[str] = []
    for part in _parts(rest):
        done = _switch(command, part, line, changes)
        refused = _values(command, done, line, changes) if done is not None else ""
        if refused:
            return Translation(line, (), tuple(changes), refused)
        if done is not None:
            words += [*([done.switch] if done.switch else []), *done.values]
    return Translation(line, ("python", script, command, *words), tuple(changes))


def _head(command_line: str) -> tuple[str, str, list[str]]:
    """Script, command and the rest."""
    try:
        words = shlex.split(command_line)
    except ValueError as error:
        raise EngineError(f"The command line cannot be read ({error}). Check its quotes.") from error
    while words and PurePath(words[0]).name not in ("faceswap.py", "tools.py", *sub_commands(), "restore"):
        words.pop(0)
    if words and PurePath(words[0]).name in ("faceswap.py", "tools.py"):
        words.pop(0)
    known = (*sub_commands(), "restore")
    if not words or words[0] not in known:
        raise EngineError(f"That is no faceswap command. It must hold one of: {', '.join(known)}.")
    script = "faceswap.py" if words[0] in ("extract", "train", "convert") else "tools.py"
    return script, words[0], words[1:]


def _parts(words: list[str]) -> list[_Part]:
    parts = [_Part("", [])]
    for word in words:
        if word.startswith("-") and not _is_number(word):
            switch, equals, value = word.partition("=")
            parts.append(_Part(switch, [value] if equals else []))
        else:
            parts[-1].values.append(word)
    return parts


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _switch(command: str, part: _Part, line: str, changes: list[Change]) -> _Part | None:
    """The part with today's switch, None where it is dropped."""
    row = find_spelling(command, part.switch)
    if row is None:
        return part
    new = row.on(line)
    if new == part.switch:
        return part
    if new is not None:
        changes.append(Change(row.old, new, row.reason(line)))
        return _Part(new, part.values)
    taken = _taken(row, part.values)
    changes.append(Change(shlex.join([row.old, *part.values[:taken]]), "", row.reason(line)))
    rest = part.values[taken:]
    return _Part("", rest) if rest else None


def _taken(row: Spelling, values: list[str]) -> int:
    return {"none": 0, "one": 1, "any": len(values)}[row.takes]


def _values(command: str, part: _Part, line: str, changes: list[Change]) -> str:
    """Respell the values of a part in place; returns why the command has no translation, mostly ""."""
    value = part.values[0] if part.values else ""
    if command == "alignments" and part.switch in ("-j", "--job") and value in JOBS:
        new, why = JOBS[value]
        if new is None:
            return f"-j {value}: {why}"
        _respell(part, new, why, changes)
    elif (command, part.switch) in _ALIGNMENTS:
        _alignments_file(part, changes)
    elif command == "extract" and part.switch in ("-D", "--detector", "-A", "--aligner"):
        _plugin(part, line, changes)
    elif command == "train" and part.switch in ("-t", "--trainer", "-D", "-d", "--distributed"):
        _train(part, line, changes)
    elif command == "convert" and part.switch in ("-M", "--mask-type"):
        _mask(part, changes)
    elif (command, line) == ("mask", "master") and value in ("components", "extended"):
        return f"-M {value}: master works these masks out by itself; there is nothing to run"
    return ""


_ALIGNMENTS = (
    ("alignments", "-a"),
    ("alignments", "--alignments_file"),
    ("convert", "-p"),
    ("convert", "--alignments"),
    ("extract", "-p"),
    ("extract", "--alignments"),
)


def _respell(part: _Part, new: str, why: str, changes: list[Change]) -> None:
    changes.append(Change(f"{part.switch} {part.values[0]}", f"{part.switch} {new}", why))
    part.values[0] = new


def _alignments_file(part: _Part, changes: list[Change]) -> None:
    value = part.values[0] if part.values else ""
    for ending in (".json", ".p", ".pickle", ".yml", ".yaml"):
        if value.lower().endswith(ending):
            new = f"{value[: -len(ending)]}.fsa"
            made = f"galloway faceset import {shlex.quote(value)} -o {shlex.quote(new)}"
            _respell(part, new, f"alignments are .fsa files today; make one first: {made}", changes)
            return


_GONE_PLUGINS = {
    "-D": {"dlib-cnn": "s3fd", "dlib-hog": "cv2-dnn", "dlib-all": "s3fd", "all": "s3fd"},
    "-A": {"dlib": "cv2-dnn"},
}


def _plugin(part: _Part, line: str, changes: list[Change]) -> None:
    value = part.values[0] if part.values else ""
    short = {"--detector": "-D", "--aligner": "-A"}.get(part.switch, part.switch)
    imported = {"v2.3.0": ("file", "external"), "master": ("external", "file")}[line]
    if value == imported[0]:
        _respell(part, imported[1], f"detections from a file are called {imported[1]!r} on this line", changes)
    elif value in _GONE_PLUGINS[short]:
        _respell(part, _GONE_PLUGINS[short][value], "dlib's plugins are gone", changes)


def _train(part: _Part, line: str, changes: list[Change]) -> None:
    value = part.values[0] if part.values else ""
    if part.switch in ("-t", "--trainer"):
        today = value.lower().replace("_", "-")
        today = {"originalhighres": "villain", "gan": "original", "gan128": "original", "lowmem": "lightweight"}.get(
            today, today
        )
        if today != value:
            why = "models are spelled with a hyphen" if "_" in value else "its nearest today"
            _respell(part, today, why, changes)
    elif line == "master" and part.switch == "-D":
        new = "" if value == "default" else "-d"
        changes.append(Change(shlex.join(["-D", *part.values]), new, "one way to use several GPUs is left"))
        part.switch, part.values = new, []
    elif line == "v2.3.0" and part.switch in ("-d", "--distributed"):
        changes.append(Change(part.switch, "-D mirrored", "the way to use several GPUs is named"))
        part.switch, part.values = "-D", ["mirrored"]


_MASKS = {
    "facehull": "extended",
    "facehullandrect": "extended",
    "dfl_full": "components",
    "vgg_clear": "vgg-clear",
    "vgg_obstructed": "vgg-obstructed",
    "unet_dfl": "unet-dfl",
    "rect": "none",
}


def _mask(part: _Part, changes: list[Change]) -> None:
    value = part.values[0] if part.values else ""
    if value in _MASKS:
        _respell(part, _MASKS[value], "masks were renamed", changes)
