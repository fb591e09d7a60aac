"""Old faceswap command lines in today's words. Pure: nothing is run, nothing is passed on untranslated."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PureWindowsPath

from ..base import EngineError
from .spellings import EVERYWHERE, JOBS, SCRIPTS, Spelling, find_spelling, sub_commands
from .today import todays

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
    rest = _without_shell(rest, changes)
    if command == "restore":
        changes.append(Change("restore", "model -j restore", "it is a job of the model tool today"))
        command, rest = "model", ["-j", "restore", *rest]
    written = _Written(command)
    words: list[str] = []
    wrong: list[str] = []
    for part in written.parts(rest):
        done = _switch(command, part, line, changes)
        refused = _values(command, done, line, changes) if done is not None else ""
        if refused:
            return Translation(line, (), tuple(changes), refused)
        if done is not None and (done.switch or done.values):
            wrong += (
                [written.unclear[done.switch]] if done.switch in written.unclear else _not_taken(command, done, line)
            )
            words += [*([done.switch] if done.switch else []), *done.values]
    if wrong:
        return Translation(line, (), tuple(changes), f"{script} {command} would refuse this: {'; '.join(wrong)}")
    return Translation(line, ("python", script, command, *words), tuple(changes))


_SCRIPTS = ("faceswap.py", "tools.py")


def _head(command_line: str) -> tuple[str, str, list[str]]:
    """Script, command and the rest."""
    try:
        words = _words(command_line)
    except ValueError as error:
        raise EngineError(f"The command line cannot be read ({error}). Check its quotes.") from error
    known = (*sub_commands(), "restore")
    at = next((number for number, word in enumerate(words) if PureWindowsPath(word).name in _SCRIPTS), None)
    if at is not None:
        words = words[at + 1 :]
    else:
        words = words[next((number for number, word in enumerate(words) if word in known), len(words)) :]
    if not words or words[0] not in known:
        raise EngineError(f"That is no faceswap command. It must hold one of: {', '.join(known)}.")
    script = "faceswap.py" if words[0] in ("extract", "train", "convert") else "tools.py"
    return script, words[0], words[1:]


def _words(text: str) -> list[str]:
    """The words as a shell has them, over several lines, too; where backslashes part folders they are kept."""
    text = re.sub(r"[\\^`][ \t]*\r?\n", " ", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    if re.search(r"\\[\w.]", text):
        lexer.escape = ""
    return list(lexer)


_SHELL = re.compile(r"&&?|\|\|?&?|;|<|\d?>>?(&\d|[^>]*)")


def _without_shell(words: list[str], changes: list[Change]) -> list[str]:
    """What stands before the first sign that speaks to the shell."""
    for number, word in enumerate(words):
        ends = len(word) > 1 and word.endswith(";")
        if ends or _SHELL.fullmatch(word):
            gone = " ".join(words[number + ends :]) or ";"
            changes.append(Change(gone, "", "it speaks to the shell, not to faceswap; write it behind as before"))
            return [*words[:number], word[:-1]] if ends else words[:number]
    return words


class _Written:
    """The words of a command line as its switches and their values, each switch written out as argparse reads it."""

    def __init__(self, command: str) -> None:
        self.unclear: dict[str, str] = {}
        self._takes: dict[str, str] = {"-h": "none", "--help": "none"}
        self._first: dict[str, str] = {}
        for row in (*SCRIPTS[command], *EVERYWHERE):
            self._takes[row.old] = row.takes
        for line in LINES:
            for today in todays(command, line):
                for name in today.names:
                    self._takes.setdefault(name, today.takes)
                    self._first[name] = today.names[0]

    def parts(self, words: list[str]) -> list[_Part]:
        """The switches in their order, after one part without a switch."""
        parts = [_Part("", [])]
        for word in words:
            if word.startswith("-") and word != "-" and not _is_number(word):
                parts += self._named(word)
            else:
                parts[-1].values.append(word)
        return parts

    def _named(self, word: str) -> list[_Part]:
        name, equals, value = word.partition("=")
        values = [value] if equals else []
        if name in self._takes:
            return [_Part(name, values)]
        likely = sorted(known for known in self._takes if known.startswith(name) and name.strip("-"))
        if len({self._first.get(known, known) for known in likely}) == 1:
            return [_Part(likely[0], values)]
        if likely:
            self.unclear[name] = f"{name} may be {' or '.join(likely)}"
        return self._joined(word) or [_Part(name, values)]

    def _joined(self, word: str) -> list[_Part]:
        """A switch with its value behind it (-b16), or several switches in one word (-wp); empty where neither."""
        short = next((word[:size] for size in range(min(4, len(word) - 1), 1, -1) if word[:size] in self._takes), "")
        if not short or word.startswith("--"):
            return []
        if self._takes[short] == "one":
            return [_Part(short, [word[len(short) :]])]
        if self._takes[short] != "none":
            return []
        behind = self._named(f"-{word[len(short) :]}")
        return [_Part(short, []), *behind] if behind[0].switch in self._takes else []


def _not_taken(command: str, part: _Part, line: str) -> list[str]:
    """Why `line` would refuse this switch or its values, as argparse does before anything is done; mostly empty."""
    if not part.switch:
        return [f"{' '.join(part.values)} belongs to no switch"]
    if part.switch in ("-h", "--help"):
        return []
    today = next((row for row in todays(command, line) if part.switch in row.names), None)
    if today is None:
        names = [name for row in todays(command, line) for name in row.names]
        near = get_close_matches(part.switch, names, 1) if len(part.switch) > 2 else []
        return [f"{line} has no switch {part.switch}{f', but {near[0]}' if near else ''}"]
    most = {"none": 0, "one": 1, "some": len(part.values)}[today.takes]
    if today.takes != "none" and not part.values:
        return [f"{part.switch} needs a value"]
    if part.values[most:]:
        return [f"{' '.join(part.values[most:])} belongs to no switch"]
    other = [value for value in part.values if today.choices and value not in today.choices]
    return [f"{part.switch} has no {value!r} but {', '.join(today.choices)}" for value in other]


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
    elif command == "extract":
        _extract(part, line, changes)
    elif command == "train":
        _train(part, line, changes)
    elif command == "convert" and part.switch in ("-M", "--mask-type"):
        _mask(part, changes)
    elif command == "sort" and part.switch in ("-s", "--sort-by") and value == "face-yaw":
        _respell(part, "yaw", "it was renamed", changes)
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
    *((tool, switch) for tool in ("manual", "preview", "mask") for switch in ("-a", "--alignments")),
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


def _extract(part: _Part, line: str, changes: list[Change]) -> None:
    if part.switch in ("-D", "--detector", "-A", "--aligner"):
        _plugin(part, line, changes)
    elif part.switch in ("-I", "--identity") and bool(part.values) == (line == "v2.3.0"):
        values = [] if line == "v2.3.0" else ["vggface2"]
        said, new = (shlex.join([part.switch, *some]) for some in (part.values, values))
        changes.append(Change(said, new, "v2.3.0 has one kind of identity, master has it named"))
        part.values = values
    elif part.switch in ("-M", "--masker"):
        old = list(part.values)
        part.values = [_MASKS.get(mask, mask) for mask in old]
        part.values = [mask for mask in part.values if mask not in ("components", "extended", "none")]
        if part.values != old:
            why = (
                "masks made from landmarks need no switch today"
                if len(part.values) < len(old)
                else "masks were renamed"
            )
            new = shlex.join([part.switch, *part.values]) if part.values else ""
            changes.append(Change(shlex.join([part.switch, *old]), new, why))
        part.switch = part.switch if part.values else ""


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
    elif line == "master" and part.switch in ("-D", "--distribution-strategy"):
        new = "" if value == "default" else "-d"
        changes.append(Change(shlex.join([part.switch, *part.values]), new, "one way to use several GPUs is left"))
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
    if value in _MASKS or value == "bisenet-fp":
        _respell(part, _MASKS.get(value, "bisenet-fp_face"), "masks were renamed", changes)
