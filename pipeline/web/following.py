"""A run's events as they come: each line is read once, however often a page asks and however long the run is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, current_app

from ..app import App
from ..errors import WorkspaceError
from ..stages.losses import finite
from ..workspace.runs import Run
from ..workspace.state import json_object
from .plots import Point

__all__ = ["Curve", "Events", "events_of", "install_following"]

_KEY = "galloway runs"
_PREVIEWS = 12
_LOG_LINES = 20
_MOST = 4096


@dataclass
class Curve:
    """A curve of at most `_MOST` points, whatever comes: where there are more, each is the mean of 2, 4, 8 … that came
    one after the other."""

    points: list[Point] = field(default_factory=list)
    each: int = 1
    _waiting: list[Point] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        """Take the next point in."""
        self._waiting.append((x, y))
        if len(self._waiting) == self.each:
            self.points.append(_mean(self._waiting))
            self._waiting.clear()
        if len(self.points) >= _MOST:
            self.points = [_mean(self.points[at : at + 2]) for at in range(0, len(self.points), 2)]
            self.each *= 2

    def shown(self) -> tuple[Point, ...]:
        """The points, the last ones with what is not yet a whole mean."""
        return (*self.points, *([_mean(self._waiting)] if self._waiting else []))


def _mean(points: list[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


@dataclass(frozen=True, slots=True)
class Events:
    """What a run's events amount to. `previews` are (iteration, path) pairs, newest last; `saved` is the iteration of
    the newest save, `losses` the newest ones of both sides, None where none was told or what was told is no number."""

    iteration: int
    side_a: tuple[Point, ...]
    side_b: tuple[Point, ...]
    losses: tuple[float | None, float | None]
    previews: tuple[tuple[int, Path], ...]
    saves: int
    saved: int
    log: tuple[str, ...]


@dataclass
class _Followed:
    """One run's events so far, and how much of its file was read."""

    read: int = 0
    iteration: int = 0
    curves: dict[str, Curve] = field(default_factory=lambda: {"loss_a": Curve(), "loss_b": Curve()})
    newest: dict[str, float | None] = field(default_factory=dict)
    previews: dict[str, int] = field(default_factory=dict)
    saves: int = 0
    saved: int = 0
    log: list[str] = field(default_factory=list)
    guard: Any = field(default_factory=Lock)

    def catch_up(self, path: Path) -> None:
        """Read what was added; a line that is not whole yet is left for later."""
        try:
            with path.open("rb") as stream:
                stream.seek(self.read)
                added = stream.read()
        except OSError:
            return
        whole = added[: added.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            event = json_object(line)
            if event is not None:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        at = int(event.get("iteration", 0))
        self.iteration = max(self.iteration, at)
        kind = event.get("kind")
        if kind == "loss":
            for key, curve in self.curves.items():
                # A loss that is no number any more (NaN) is none of the curve, and no older one stands for it.
                self.newest[key] = finite(event.get(key))
                if (loss := self.newest[key]) is not None:
                    curve.add(float(at), loss)
        elif kind == "saved":
            self.saves, self.saved = self.saves + 1, at
        elif kind == "preview":
            # An engine may write one preview file again and again: the newest event of a file stands for it.
            name = str(event.get("path", ""))
            self.previews.pop(name, None)
            self.previews[name] = at
        if event.get("text"):
            self.log = [*self.log, str(event["text"])][-_LOG_LINES:]


def install_following(site: Flask) -> None:
    """Let the pages of `site` follow runs."""
    site.extensions[_KEY] = {}


def events_of(app: App, run: Run) -> Events:
    """A run's events until now. A preview that is no picture inside the workspace is left out."""
    followed: _Followed = current_app.extensions[_KEY].setdefault(run.folder, _Followed())
    with followed.guard:
        followed.catch_up(run.folder / "events.jsonl")
        found = [(at, path) for name, at in followed.previews.items() if (path := _inside(app, name)) is not None]
        return Events(
            followed.iteration,
            followed.curves["loss_a"].shown(),
            followed.curves["loss_b"].shown(),
            (followed.newest.get("loss_a"), followed.newest.get("loss_b")),
            tuple(sorted(found, key=lambda item: item[0])[-_PREVIEWS:]),
            followed.saves,
            followed.saved,
            tuple(followed.log),
        )


def _inside(app: App, text: str) -> Path | None:
    try:
        path = app.workspace.inside(text)
    except WorkspaceError:
        return None
    return path if path.suffix.lower() in (".png", ".jpg", ".jpeg") and path.is_file() else None
