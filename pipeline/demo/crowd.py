"""Simulated workers, said to be so: they use the worker site as a browser without JavaScript would.

They join by invite link, choose from the list, accept, open the frame, look at the pictures, fill in the form and send
it. What they know comes from the sample's own truth file, by the content of the pictures that they are shown; no
database is read. How well they see is a `Profile`; the same seed, name and picture give the same answer in whatever
order the HITs come. The working time that they report is simulated too: drawn from the profile, not waited for.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from ...curation.types import Progress, no_progress
from ..errors import StageError
from .browser import Browser, Form, Page, TaskForm, read_task
from .truth import SampleTruth, TrueFace

__all__ = [
    "DEMO_CROWD",
    "CrowdResult",
    "Deed",
    "Profile",
    "SampleTruth",
    "TrueFace",
    "WorkerReport",
    "answer",
    "run_crowd",
]

_MAX_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """How a simulated worker sees and works.

    `misses`: share of bad faces taken for good. `false_alarms`: share of good faces called bad. `reason_right`: share
    of noticed bad faces given the right reason. `unsure`: share of identity errors that become "cannot tell".
    `marks_each`: marks every face, instead of marking the bad ones and confirming the rest. `blind`: does not look.
    """

    name: str
    misses: float = 0.0
    false_alarms: float = 0.0
    reason_right: float = 0.9
    unsure: float = 0.5
    seconds_per_face: float = 2.0
    marks_each: bool = False
    blind: bool = False


DEMO_CROWD: tuple[Profile, ...] = (
    Profile("careful", 0.02, 0.01, reason_right=0.97, seconds_per_face=2.6, marks_each=True),
    Profile("average-1", 0.06, 0.04, seconds_per_face=1.8),
    Profile("average-2", 0.08, 0.05, seconds_per_face=1.6),
    Profile("average-3", 0.05, 0.07, seconds_per_face=2.0, marks_each=True),
    Profile("hasty", 0.40, 0.04, reason_right=0.6, unsure=0.2, seconds_per_face=0.5),
    Profile("random", blind=True, seconds_per_face=0.7, marks_each=True),
)
"""One careful worker, three average ones, a hasty one and one that answers at random."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One answered page. `unknown` counts pictures that the truth file does not know; they were skipped."""

    assignment_id: str
    faces: int
    marked: int
    unknown: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What one simulated worker did."""

    name: str
    worker_id: str
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class CrowdResult:
    """What the whole crowd did; times are simulated."""

    workers: tuple[WorkerReport, ...]

    @property
    def worker_ids(self) -> tuple[str, ...]:
        """The ids under which requesters see these workers: their votes must be marked as simulated."""
        return tuple(worker.worker_id for worker in self.workers)

    @property
    def submitted(self) -> int:
        """Answered pages."""
        return sum(len(worker.deeds) for worker in self.workers)

    @property
    def unknown(self) -> int:
        """Pictures that nobody of the crowd could know."""
        return sum(deed.unknown for worker in self.workers for deed in worker.deeds)


def run_crowd(
    worker_url: str,
    truth: SampleTruth,
    profiles: Sequence[Profile] = DEMO_CROWD,
    *,
    seed: int = 1,
    invite: str | Callable[[], str] = "",
    until: Callable[[], bool] = lambda: False,
    progress: Progress = no_progress,
) -> CrowdResult:
    """Let the crowd work, in turns of one page each, until nobody finds work or `until()` says so.

    `invite` is an invite link with enough uses, or a function that makes one; it is needed only while accounts are
    missing. The accounts' names are `sim-` + the profile's, so that they are the same people in the next round.
    Raises StageError where the site does not answer or refuses several times in a row.
    """
    workers = [_Worker(worker_url, profile, truth, seed) for profile in profiles]
    for worker in workers:
        worker.enter(invite)
    working, done = list(workers), 0
    while working and not until():
        for worker in list(working):
            if worker.turn():
                done += 1
                progress("pages answered by simulated workers", done, None)
            else:
                working.remove(worker)
            if until():
                break
    return CrowdResult(tuple(WorkerReport(w.name, w.worker_id, tuple(w.deeds)) for w in workers))


def answer(profile: Profile, seen: TrueFace | None, values: Sequence[str], rng: random.Random) -> str:
    """The value that a worker of this profile gives a face; `values` are on offer, the good one first.

    What is bad about a face but is not offered on this page (a blurred face on side A) does not count as bad.
    """
    good, bad = values[0], [value for value in values[1:] if value not in ("skip", "cannot_tell")]
    if profile.blind:
        return rng.choice([value for value in values if value != "skip"])
    if seen is None:
        return "skip" if "skip" in values else good
    identity = good == "same"
    right = _right_value(seen, values, identity=identity)
    slip = rng.random() < (profile.false_alarms if right == good else profile.misses)
    if identity and slip:
        unsure = rng.random() < profile.unsure
        return "cannot_tell" if unsure else ("different" if right == good else good)
    if right == good:
        return rng.choice(bad) if slip else good
    if slip:
        return good
    return right if identity or rng.random() < profile.reason_right else rng.choice(bad)


def _right_value(seen: TrueFace, values: Sequence[str], *, identity: bool) -> str:
    wanted = seen.identity if identity else f"{seen.usable}:{seen.reason}" if seen.reason else seen.usable
    return wanted if wanted in values else values[0]


@dataclass
class _Worker:
    """One simulated person at the worker site."""

    site: str
    profile: Profile
    truth: SampleTruth
    seed: int
    browser: Browser = field(default_factory=Browser)
    deeds: list[Deed] = field(default_factory=list)
    worker_id: str = ""
    _refusals: int = 0
    _not_for_me: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"sim-{self.profile.name}"

    def enter(self, invite: str | Callable[[], str]) -> None:
        """Sign in, or join if there is no such account yet."""
        secret = hashlib.sha256(f"{self.truth.digest}:{self.name}".encode()).hexdigest()
        me = {"name": self.name, "password": secret}
        form = self._form(self.browser.get(self._at("/sign-in")), "/sign-in", "the sign-in form")
        page = self.browser.post(form, me)
        if page.status >= 400:
            link = invite() if callable(invite) else invite
            if not link:
                raise StageError(
                    f"The simulated worker {self.name} has no account at {self.site} and no invite link: {page.said}"
                )
            form = self._form(self.browser.get(link), urlsplit(link).path, "the form behind the invite link")
            page = self.browser.post(form, me)
        if page.status >= 400:
            raise StageError(f"The simulated worker {self.name} could not join at {self.site}: {page.said}")
        codes = self.browser.get(self._at("/account")).codes
        if not codes:
            raise StageError(f"The simulated worker {self.name} is not signed in at {self.site} after joining")
        self.worker_id = codes[0]
        for form in self.browser.get(self._at("/")).forms:
            if urlsplit(form.action).path.endswith("/return"):
                self.browser.post(form)  # left over from a run that was killed

    def turn(self) -> bool:
        """Do one page of work; False if there is none."""
        while True:
            page = self.browser.get(self._at("/"))
            forms = [form for form in page.forms if urlsplit(form.action).path.endswith("/accept")]
            form = next((form for form in forms if form.action not in self._not_for_me), None)
            if form is None:
                return False
            work = self.browser.post(form)
            if work.status in (403, 409):
                self._not_for_me.add(form.action)
                continue
            task = self._open_task(work)
            if task is None:
                self._not_for_me.add(form.action)
                self.browser.post(self._form(work, "/return", "the return button"))
                continue
            if self._do(work, task):
                return True

    def _open_task(self, work: Page) -> TaskForm | None:
        if work.status != 200 or not work.frames:
            raise StageError(f"{self.name} accepted work but got no task at {self.site}: {work.said}")
        return read_task(self.browser.frame(work.frames[0]))

    def _do(self, work: Page, task: TaskForm) -> bool:
        fields = [(name, value) for name, value in task.form.hidden() if name != "elapsed"]
        marked = unknown = 0
        for tile in task.tiles:
            data = self.browser.picture(tile.picture)
            seen = self.truth.find(data)
            unknown += seen is None
            rng = self._dice(hashlib.sha256(data).hexdigest(), task.good)
            value = answer(self.profile, seen, tile.values, rng)
            if value != task.good or self.profile.marks_each or not task.rest:
                fields.append((tile.name, value))
                marked += 1
        if marked < len(task.tiles):
            fields.append(("rest", task.good))
        assignment_id = dict(task.form.hidden()).get("assignmentId", "")
        pace = self._dice(task.tiles[0].name, "pace").lognormvariate(0.0, 0.25)
        seconds = round(self.profile.seconds_per_face * len(task.tiles) * pace, 3)
        fields.append(("elapsed", str(int(seconds * 1000))))
        return self._send(work, task, fields, Deed(assignment_id, len(task.tiles), marked, unknown, seconds))

    def _send(self, work: Page, task: TaskForm, fields: list[tuple[str, str]], deed: Deed) -> bool:
        sent = self.browser.submit(task.form, fields)
        if sent.status == 200:
            self.browser.get(f"{work.url}/after")
            self.deeds.append(deed)
            self._refusals = 0
            return True
        self._refusals += 1
        if self._refusals >= _MAX_REFUSALS:
            raise StageError(f"The marketplace refused what {self.name} sent, {self._refusals} times: {sent.said}")
        return False

    def _dice(self, *what: str) -> random.Random:
        return random.Random(":".join((str(self.seed), self.name, *what)))

    def _at(self, path: str) -> str:
        return urljoin(self.site, path)

    def _form(self, page: Page, ending: str, what: str) -> Form:
        form = page.form(ending)
        if form is None:
            raise StageError(f"{page.url} does not show {what}: {page.said}")
        return form
