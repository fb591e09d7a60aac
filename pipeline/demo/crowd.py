"""Simulated workers, said to be so: they use the worker site as a browser without JavaScript would.

They join by invite link, choose from the list, accept, open the frame, look at the pictures, fill in the form and send
it. What they know comes from the sample's own truth file, by the content of the pictures that they are shown; no
database is read. How well they see is a `Profile`; the same seed, name and picture give the same answer in whatever
order the HITs come. The working time that they report is simulated too: drawn from the profile, not waited for.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from ...curation.types import Progress, no_progress
from ..errors import StageError
from .browser import Browser, Form, Page, TaskForm, Tile, read_task
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
    "answer_group",
    "run_crowd",
]

_MAX_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Profile:
    """How a simulated worker sees and works.

    `misses`: share of bad faces taken for good. `false_alarms`: share of good faces called bad. `reason_right`: share
    of noticed bad faces given the right reason. `unsure`: share of identity errors that become "cannot tell".
    `marks_each`: marks every face, instead of marking the bad ones and confirming the rest. `blind`: does not look.
    `alike`: the share of faces that it sees as all others do who are alike: they err on the same faces.
    `drawn`: the share of groups that it confirms as good as a whole, whatever they show.
    """

    name: str
    misses: float = 0.0
    false_alarms: float = 0.0
    reason_right: float = 0.9
    unsure: float = 0.5
    seconds_per_face: float = 2.0
    marks_each: bool = False
    blind: bool = False
    alike: float = 0.0
    drawn: float = 0.0


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
    chance: random.Random | None = None,
    invite: str | Callable[[], str] = "",
    until: Callable[[], bool] = lambda: False,
    progress: Progress = no_progress,
) -> CrowdResult:
    """Let the crowd work, in turns of one page each, until nobody finds work or `until()` says so. In each turn they
    come in the order of `profiles`, or in one that `chance` draws.

    `invite` is an invite link with enough uses, or a function that makes one; it is needed only while accounts are
    missing. The accounts' names are `sim-` + the profile's, so that they are the same people in the next round.
    Raises StageError where the site does not answer or refuses several times in a row.
    """
    workers = [_Worker(worker_url, profile, truth, seed) for profile in profiles]
    for worker in workers:
        worker.enter(invite)
    working, done = list(workers), 0
    while working and not until():
        if chance is not None:
            chance.shuffle(working)
        for worker in list(working):
            if worker.turn():
                done += 1
                progress("pages answered by simulated workers", done, None)
            else:
                working.remove(worker)
            if until():
                break
    return CrowdResult(tuple(WorkerReport(w.name, w.worker_id, tuple(w.deeds)) for w in workers))


def answer(
    profile: Profile, seen: TrueFace | None, values: Sequence[str], rng: random.Random, *, sought: bool = False
) -> str:
    """The value that a worker of this profile gives a face; `values` are on offer, the good one first. What is to be
    marked is overlooked: a bad face, or, where the good ones are `sought` and bad ones are the rest, a good one.

    What is bad about a face but is not offered on this page (a blurred face on side A) does not count as bad.
    """
    good, bad = values[0], [value for value in values[1:] if value not in ("skip", "cannot_tell")]
    if profile.blind:
        return rng.choice([value for value in values if value != "skip"])
    if seen is None:
        return "skip" if "skip" in values else good
    identity = good == "same"
    right = _right_value(seen, values)
    slip = rng.random() < (profile.misses if (right == good) is sought else profile.false_alarms)
    if identity and slip:
        unsure = rng.random() < profile.unsure
        return "cannot_tell" if unsure else ("different" if right == good else good)
    if right == good:
        return rng.choice(bad) if slip else good
    if slip:
        return good
    return right if identity or right not in bad or rng.random() < profile.reason_right else rng.choice(bad)


def answer_group(
    profile: Profile, seen: Sequence[TrueFace | None], values: Sequence[str], dice: Sequence[random.Random]
) -> tuple[str, list[str]]:
    """What a worker says of a whole group, and of each of its faces: "" where the group's answer stands for it.

    It is one look: the group is judged by what most of it shows, rightly or wrongly for all of these at once; only a
    face that shows something else is judged for itself, and may be overlooked. Who is drawn to what is proposed does
    not look.
    """
    if profile.drawn and dice[0].random() < profile.drawn:
        return values[0], [""] * len(seen)
    right = ["" if face is None else _right_value(face, values) for face in seen]
    most = Counter(right).most_common(1)[0][0]
    first = right.index(most)
    verdict = answer(profile, seen[first], values, dice[first])
    own = ["" if what == most else answer(profile, seen[n], values, dice[n]) for n, what in enumerate(right)]
    return verdict, ["" if value == verdict else value for value in own]


def _right_value(seen: TrueFace, values: Sequence[str]) -> str:
    """What is right for a face among the values of a page: of one question, or of both."""
    if values[0] == "same":
        return seen.identity if seen.identity in values else values[0]
    use = f"{seen.usable}:{seen.reason}" if seen.reason else seen.usable
    if "cannot_tell" in values and use not in values[1:]:
        who = {"different": "reject:another_person", "cannot_tell": "cannot_tell"}.get(seen.identity, values[0])
        return who if who in values else values[0]
    return use if use in values else values[0]


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
        said, unknown = self._look(task)
        fields += said
        marked = sum(name.startswith("face.") for name, _ in said)
        assignment_id = dict(task.form.hidden()).get("assignmentId", "")
        pace = self._dice(task.tiles[0].name, "pace").lognormvariate(0.0, 0.25)
        seconds = round(self.profile.seconds_per_face * len(task.tiles) * pace, 3)
        fields.append(("elapsed", str(int(seconds * 1000))))
        return self._send(work, task, fields, Deed(assignment_id, len(task.tiles), marked, unknown, seconds))

    def _look(self, task: TaskForm) -> tuple[list[tuple[str, str]], int]:
        """The fields that this worker fills in, and how many pictures it does not know."""
        fields: list[tuple[str, str]] = []
        pictures = [self.browser.picture(tile.picture) for tile in task.tiles]
        seen = [self.truth.find(data) for data in pictures]
        dice = [self._dice(hashlib.sha256(data).hexdigest(), task.good) for data in pictures]
        groups: dict[str, list[int]] = {}
        for place, tile in enumerate(task.tiles):
            groups.setdefault(tile.group, []).append(place)
        open_ones = 0
        for group, places in groups.items():
            tiles = [task.tiles[place] for place in places]
            if group:
                verdict, values = answer_group(
                    self.profile, [seen[n] for n in places], tiles[0].values, [dice[n] for n in places]
                )
                fields.append((group, verdict))
            else:
                values = [self._alone(task, tile, seen[n], dice[n]) for tile, n in zip(tiles, places, strict=True)]
                open_ones += values.count("")
            fields += [(tile.name, value) for tile, value in zip(tiles, values, strict=True) if value]
        if open_ones:
            fields.append(("rest", task.rest))
        return fields, sum(face is None for face in seen)

    def _alone(self, task: TaskForm, tile: Tile, seen: TrueFace | None, rng: random.Random) -> str:
        """The answer on one face, "" where it is left to `rest`."""
        value = answer(self.profile, seen, tile.values, rng, sought=task.rest == "reject")
        rest = value == task.rest or value.startswith(f"{task.rest}:")
        return "" if rest and not self.profile.marks_each else value

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
        own = random.Random(":".join((str(self.seed), self.name, *what)))
        if self.profile.alike and own.random() < self.profile.alike:
            return random.Random(":".join((str(self.seed), *what)))
        return own

    def _at(self, path: str) -> str:
        return urljoin(self.site, path)

    def _form(self, page: Page, ending: str, what: str) -> Form:
        form = page.form(ending)
        if form is None:
            raise StageError(f"{page.url} does not show {what}: {page.said}")
        return form
