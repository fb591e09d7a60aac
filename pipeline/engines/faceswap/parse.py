"""What both lines of faceswap print, as events. Pure: text in, values out.

Seen on v2.3.0 and master (acdcfa87): log lines `11/22/2026 07:47:15 INFO     text`, tqdm bars separated by carriage
returns on either stream, and a loss line that is not ended by a newline, so that a log line may follow on it directly.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

__all__ = ["Bar", "Event", "Log", "Loss", "LossWatch", "PreviewUpdated", "Saved", "Splitter", "parse"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar: what is done, how much of how many."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Loss:
    """One iteration; `iteration` counts over the model's whole life. Losses may be NaN."""

    iteration: int
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The model is on disk."""

    text: str


@dataclass(frozen=True, slots=True)
class PreviewUpdated:
    """`training_preview.png` was written anew."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log line, or a plain line with level "" (warnings of libraries, tracebacks)."""

    level: str
    text: str


Event = Bar | Loss | Saved | PreviewUpdated | Log

_NUMBER = r"(nan|-?inf|-?\d+\.\d{5})"
_LOSS = re.compile(rf"\[\d\d:\d\d:\d\d\] \[#(\d+)\] Loss A: {_NUMBER}, Loss B: {_NUMBER}", re.IGNORECASE)
_LOG = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d ([A-Z]+)\s+(.*)")
_BAR = re.compile(r"\s\d+%\|[^|]*\|\s*(\d+)/(\d+)")
_LONGEST = 4096
"""Characters of a line that are looked at; a library that prints a whole model on one line has more than one reads."""
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Splitter:
    """Cuts a stream into lines at newlines and carriage returns."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """The lines that `text` completes."""
        *lines, self._rest = re.split(r"[\r\n]", self._rest + text)
        lines, self._rest = [line[:_LONGEST] for line in lines], self._rest[:_LONGEST]
        # v2.3.0 does not end a loss line before the next one begins: it is given out as soon as it is whole, and what
        # stands right behind it (the first digits of a log line, maybe) waits for its own end.
        if (found := _LOSS.search(self._rest)) is not None:
            lines.append(self._rest[: found.end()])
            self._rest = self._rest[found.end() :]
        return [line for line in lines if line.strip()]

    def close(self) -> list[str]:
        """What is left at the end of the stream."""
        rest, self._rest = self._rest, ""
        return [rest] if rest.strip() else []


def parse(line: str) -> Iterator[Event]:
    """The events of one line; a loss line may carry a log line behind it."""
    line = _ESCAPE.sub("", line)
    while (found := _LOSS.search(line)) is not None:
        yield Loss(int(found[1]), float(found[2]), float(found[3]))
        line = line[: found.start()] + line[found.end() :]
    if (found := _LOG.search(line)) is not None:
        yield from _log(found[1], found[2].strip())
    elif (found := _BAR.search(line)) is not None:
        yield Bar(line[: found.start()].strip().removesuffix(":"), int(found[1]), int(found[2]))
    elif line.strip():
        yield Log("", line.strip())


def _log(level: str, text: str) -> Iterator[Event]:
    if text.startswith("[Saved model]"):
        yield Saved(text.removeprefix("[Saved model]").strip(" -"))
    elif text.startswith("[Preview Updated]"):
        yield PreviewUpdated()
    else:
        yield Log(level, text)


class LossWatch:
    """Notices a loss that is no number, and one that climbs out of what was reached: a collapse.

    A collapse is a median of the last `window` iterations above `factor` times the best such median. Each is told once.
    """

    def __init__(self, window: int = 50, factor: float = 2.5) -> None:
        self._window, self._factor = window, factor
        self._recent: dict[str, deque[float]] = {"A": deque(maxlen=window), "B": deque(maxlen=window)}
        self._best: dict[str, float] = {}
        self._told: set[tuple[str, str]] = set()

    def feed(self, loss: Loss) -> list[str]:
        """Warnings in words, mostly none."""
        told = []
        for side, value in (("A", loss.a), ("B", loss.b)):
            kind = self._judge(side, value)
            if kind and (side, kind) not in self._told:
                self._told.add((side, kind))
                told.append(_WARNINGS[kind].format(side=side, iteration=loss.iteration))
        return told

    def _judge(self, side: str, value: float) -> str:
        if value != value or value in (float("inf"), float("-inf")):
            return "nan"
        recent = self._recent[side]
        recent.append(value)
        if len(recent) < self._window:
            return ""
        level = median(recent)
        best = self._best[side] = min(level, self._best.get(side, level))
        return "collapse" if level > best * self._factor else ""


_WARNINGS = {
    "nan": (
        "The loss of side {side} is no number any more (NaN) at iteration {iteration}: the weights are spoilt. Stop, "
        "go back to the last good save (the .bk files in the model folder) and train with a lower learning rate or "
        "without mixed precision."
    ),
    "collapse": (
        "The loss of side {side} has climbed far above what it had reached (iteration {iteration}): the model is "
        "collapsing. Stop with Ctrl-C, go back to the last good save (the .bk files in the model folder), and look "
        "for wrong faces in that side's folder or lower the learning rate."
    ),
}
