"""Walking the way in a studio whose window is closed, and whose job and server are killed, at every step of it."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from galloway.pipeline.jobs.kept import Job, all_jobs
from galloway.pipeline.workspace.folder import Workspace
from playwright.sync_api import Browser, BrowserType, Error, ViewportSize

from tests.support.served import studio
from tests.support.sites import launched

from .hands import PATIENCE, Closed, Hands
from .way import Shelf, Step

__all__ = ["BLOWS", "Walk"]

BLOWS = ("window", "job", "server")
"""What may be struck at each step."""
_TRIES = 8
_LASTS = {"ingest": 0.3, "reference": 1.0, "extract": 2.0, "train": 4.0, "convert": 2.0, "": 0.5}
"""Seconds that a kind of work takes on a quiet machine: what is killed dies a random part of them on."""


@dataclass
class Walk:
    """The way from nothing to the film. At each step each of `who` is struck, in tries of their own:

    the window closed after a random press, before anything is sent; the window closed right behind the press that
    sends, before any answer, and the job killed a random moment after it began; the server killed a random moment
    behind the press that sends again. What the server does itself has no job.
    """

    shelf: Shelf
    kind: BrowserType
    hands: type[Hands]
    chance: random.Random
    who: list[str]
    size: ViewportSize
    person: Hands | None = None
    struck: Counter[str] = field(default_factory=Counter)
    met: dict[str, Counter[str]] = field(default_factory=dict)
    """Of these, by step, those that met it when it was not done."""
    _served: ExitStack = field(default_factory=ExitStack)
    _window: Browser | None = None

    def __enter__(self) -> Walk:
        self.serve()
        self.come_in()
        return self

    def __exit__(self, *why: object) -> None:
        if self._window is not None:
            self._window.close()
        self._served.__exit__(*why)  # type: ignore[arg-type]

    @property
    def at_work(self) -> Hands:
        assert self.person is not None
        return self.person

    def serve(self) -> None:
        """Start the studio, anew where there was one."""
        self._served.close()
        self._served = ExitStack()
        self.link, self.server = self._served.enter_context(studio(self.shelf.folder))

    def come_in(self) -> None:
        """A new browser, in by the studio's link and into the project where there is one."""
        if self._window is not None:
            self._window.close()
        self._window = launched(self.kind)
        page = self._window.new_page(viewport=self.size, accept_downloads=True)
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(self.link)
        if self.person is None:
            self.person = self.hands(page)
        self.person.page = page
        if self.shelf.made:
            self.person.go("main h2 a", "swap")

    def go(self, until: str = "") -> None:
        """Take all steps, or those up to one."""
        for step in self.shelf.steps():
            self.at_work.step = step.name
            self._do(step)
            if step.name == until:
                break

    def _do(self, step: Step) -> None:
        tries = self._tries(step)
        for _ in range(_TRIES):
            if step.done():
                return
            self._try(step, tries.pop(0) if tries else [])
        if not step.done():
            raise RuntimeError(f"{step.name} was not done after all its tries, on {self.at_work.page.url}")

    def _tries(self, step: Step) -> list[list[str]]:
        sending = ["sending"] if "window" in self.who else []
        job = ["job"] if "job" in self.who and step.kind else []
        server = ["server"] if "server" in self.who else []
        window = ["window"] if "window" in self.who and step.name != "download" else []
        # A job that goes on is done before another blow can fall: whatever does not end it comes last.
        planned = [window, sending + job, server] if step.kind else [window, server, sending]
        return [blows for blows in planned if blows]

    def _try(self, step: Step, blows: list[str]) -> None:
        hands, left = self.at_work, self._left(step)
        hands.closes_after = self.chance.randint(1, hands.LEAST) if "window" in blows else 0
        hands.sending = self._close if "sending" in blows else self._lie_in_wait(step) if "server" in blows else None
        try:
            if left is None:
                step.act(hands)
            else:
                self._go_on(left)
        except Closed:
            pass
        except (Error, RuntimeError):
            if "server" not in blows:
                raise
        hands.closes_after, hands.sending = 0, None
        self._after(step, blows)
        self._settle(step)

    def _close(self) -> None:
        raise Closed

    def _lie_in_wait(self, step: Step) -> Callable[[], None]:
        """Kill the server a random moment behind the sending."""

        def strike() -> None:
            self._count(step, "server")
            self.server.kill()

        soon = self.chance.uniform(0.0, _LASTS[step.kind])
        return lambda: threading.Timer(soon, strike).start()

    def _after(self, step: Step, blows: list[str]) -> None:
        """The blows that fall once the work was sent; then the person comes in again."""
        if "job" in blows:
            self._kill_job(step)
        if {"window", "sending"} & set(blows):
            self._count(step, "window")
            self.come_in()
        if "server" in blows:
            self.server.wait()
            self.serve()
            self.come_in()

    def _count(self, step: Step, who: str) -> None:
        self.struck[who] += 1
        late = step.done()
        print(f"{step.name}: {who} struck{', and it was done already' if late else ''}", file=sys.stderr, flush=True)
        if not late:
            self.met.setdefault(step.name, Counter())[who] += 1

    def _kill_job(self, step: Step) -> None:
        until = time.monotonic() + PATIENCE
        while not (found := [job for job in self._jobs(step) if job.pid]) and time.monotonic() < until:
            if step.done():
                return
            time.sleep(0.02)
        time.sleep(self.chance.uniform(0.0, _LASTS[step.kind]))
        for job in found:
            if any(item.id == job.id and item.pid for item in self._jobs(step)):
                self._count(step, "job")
                os.kill(job.pid, signal.SIGKILL)

    def _jobs(self, step: Step) -> list[Job]:
        if not step.kind or not self.shelf.made:
            return []
        return [job for job in all_jobs(Workspace.open(self.shelf.root)) if job.kind == step.kind]

    def _left(self, step: Step) -> Job | None:
        """The step's newest job where a button goes on with it."""
        mine = self._jobs(step)
        return mine[0] if mine and mine[0].may_go_on else None

    def _go_on(self, job: Job) -> None:
        hands = self.at_work
        hands.open("Jobs")
        hands.go("h2 a", job.title)
        hands.go("button", "Go on", sends=True)

    def _settle(self, step: Step) -> None:
        """Wait for what is at work to end, as the pages say it."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE and any(job.running for job in self._jobs(step)):
            time.sleep(0.1)
        if not step.kind and self.shelf.made and step.name.startswith("merge"):
            self.at_work.page.locator("main .note.job").wait_for(state="detached")
        waited = self.at_work.waited
        waited[step.name] = waited.get(step.name, 0.0) + time.monotonic() - began
