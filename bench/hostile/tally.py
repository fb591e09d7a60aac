"""What happened, by category; what counts as an error raised on purpose; programs that leave a trace."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from galloway.curation.errors import CurationError
from galloway.mturk.marketplace.errors import MarketplaceError
from galloway.mturk.requester.errors import MTurkError
from galloway.pipeline.errors import PipelineError

ON_PURPOSE = (CurationError, PipelineError, MTurkError, MarketplaceError)
PROGRAMS = ("gs", "convert", "magick", "inkscape", "git", "sh")
SECONDS = 5.0
"""No single input may take longer."""


class Tally:
    """What happened, by category: (category, outcome) → how often."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}

    def note(self, category: str, outcome: str, example: str = "") -> None:
        self.counts[category, outcome] += 1
        self.examples.setdefault((category, outcome), example)

    def real(self, kind: str) -> None:
        """One fault of a real process, disk or connection."""
        self.counts["faults", kind] += 1

    def merge(self, rows: list[list[Any]]) -> None:
        """Add what a process of its own has counted; see `as_rows`."""
        for category, outcome, count, example in rows:
            self.counts[category, outcome] += count
            self.examples.setdefault((category, outcome), example)

    def as_rows(self) -> list[list[Any]]:
        """Everything, as JSON carries it."""
        return [[*key, count, self.examples.get(key, "")] for key, count in self.counts.items()]

    def attempt(self, category: str, act: Callable[[], Any], good: Callable[[Any], bool] = lambda _: True) -> None:
        """Run one input: answered, refused on purpose, a traceback, a hang, or a wrong answer."""
        started = time.monotonic()
        try:
            outcome, example = ("answered", "") if good(found := act()) else ("wrong", repr(found)[:200])
        except ON_PURPOSE:
            outcome, example = "refused", ""
        except Exception as error:
            outcome, example = "traceback", f"{type(error).__name__}: {error}"[:200]
        self.note(category, "hang" if time.monotonic() - started > SECONDS else outcome, example)

    def of(self, *outcomes: str) -> int:
        return sum(count for (_, outcome), count in self.counts.items() if outcome in outcomes)


@contextmanager
def canary(folder: Path) -> Iterator[Path]:
    """Programs that leave a trace stand first in PATH."""
    programs, trace = folder / "bin", folder / "sang"
    programs.mkdir()
    for name in PROGRAMS:
        path = programs / name
        path.write_text(f"#!{sys.executable}\nopen({str(trace)!r}, 'a').write('x')\n", encoding="utf-8")
        path.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{programs}{os.pathsep}{before}"
    try:
        yield trace
    finally:
        os.environ["PATH"] = before
