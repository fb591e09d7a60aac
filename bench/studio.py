"""From an empty folder to the film in the studio, by the keyboard alone; and the same with kills at every step.

    python -m bench.studio                       # the keyboard alone: keys and minutes that waited, by step
    python -m bench.studio --kills job --seed 1  # at each step its process is killed at a random moment
    python -m bench.studio --kills server browser
    python -m bench.studio --folder F --until faces    # a part; the next call with F goes on from there
    python -m bench.studio --quick               # up to the faces of one side

Two clips of 14 frames of photographs that libraries ship; training lasts six seconds. Keys are what a person presses:
Tab, Enter, space, arrows, and the letters of names and paths. After each kill the work goes on by what the pages offer;
at the end everything is counted: a source, a face, a vote, a merge or a film too many or too few is named. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.jobs.kept import all_jobs
from galloway.pipeline.workspace.folder import CONFIG_NAME, Workspace
from galloway.pipeline.workspace.records import facesets, sources
from galloway.pipeline.workspace.runs import runs
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.support.engines import filmed_frames, write_clip
from tests.support.served import studio
from tests.support.sites import chromium

_FRAMES = 14
_MOST_TABS = 250
_PATIENCE = 300.0
_AT = """([css, text]) => {
  const here = document.activeElement;
  if (!here || !here.matches(css)) return false;
  const label = here.labels?.[0]?.innerText ?? "", said = here.getAttribute("aria-label") ?? here.innerText ?? "";
  return !text || label.trim().startsWith(text) || said.trim().startsWith(text);
}"""


class Closed(Exception):
    """The window was closed in the middle of something."""


@dataclass
class Hands:
    """A person at a keyboard: every key is counted, and how long they wait for what they began."""

    page: Page
    keys: Counter[str] = field(default_factory=Counter)
    waited: dict[str, float] = field(default_factory=dict)
    step: str = ""
    left: int = 0
    """So many keys on, the window is closed; 0: it stays open."""

    def press(self, key: str) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise Closed
        self.page.keyboard.press(key)
        self.keys[self.step] += 1

    def reach(self, css: str, text: str = "") -> None:
        """Tab until what matches has the focus; `text` is how its label or its words begin."""
        self.page.wait_for_load_state()
        for _ in range(_MOST_TABS):
            if self.page.evaluate(_AT, [css, text]):
                return
            self.press("Tab")
        raise RuntimeError(f"{css} {text!r} is not reached by Tab on {self.page.url}")

    def past_the_head(self) -> None:
        """Take the link that skips the head of the page."""
        self.page.wait_for_load_state()
        self.page.evaluate("document.activeElement?.blur()")
        self.reach("a.skip")
        self.press("Enter")

    def go(self, css: str, text: str = "") -> None:
        """Press a link or button and wait for what comes."""
        self.reach(css, text)
        with self.page.expect_navigation(timeout=1000 * _PATIENCE):
            self.press("Enter")

    def write(self, css: str, label: str, text: str) -> None:
        """Fill a field in."""
        self.reach(css, label)
        self.press("Control+a")
        self.page.keyboard.type(text)
        self.keys[self.step] += len(text)

    def choose(self, name: str, value: str) -> None:
        """Choose among radio buttons, by arrows."""
        self.reach(f"input[name={name}]")
        for _ in range(20):
            here, on = self.page.evaluate("[document.activeElement.value, document.activeElement.checked]")
            if here == value:
                if not on:
                    self.press("Space")
                return
            self.press("ArrowDown")
        raise RuntimeError(f"{name} has no {value}")

    def open(self, name: str) -> None:
        """Go to a page by its link in the head."""
        self.page.evaluate("document.activeElement?.blur()")
        self.go("nav a", name)
        self.past_the_head()


@dataclass
class Walk:
    """The way from nothing to the film in a studio that may be killed; `kill` names who dies at which steps."""

    folder: Path
    films: dict[str, Path]
    photographs: dict[str, Path]
    browser: Browser
    chance: random.Random
    stack: ExitStack = field(default_factory=ExitStack)
    hands: Hands | None = None
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def root(self) -> Path:
        return self.folder / "swap"

    @property
    def app(self) -> App:
        return App(Workspace.open(self.root))

    def found(self, side: Side) -> bool:
        """Whether the faces of a side's footage were looked for."""
        return all(item.faces is not None for item in sources(self.app.workspace, side))

    def begin(self) -> None:
        """Start the studio and come in by its link, anew where there was one."""
        self.stack.close()
        self.link, self.server = self.stack.enter_context(studio(self.folder))
        self.come_in()

    def come_in(self) -> None:
        """A new browser window."""
        context: BrowserContext = self.browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(1000 * _PATIENCE)
        page.goto(self.link)
        self.stack.callback(context.close)
        if self.hands is None:
            self.hands = Hands(page)
        self.hands.page = page
        if (self.root / CONFIG_NAME).is_file():
            self.hands.go("main h2 a", "swap")
            self.hands.past_the_head()

    def lie_in_wait(self, who: str) -> None:
        """Kill the server at a random moment from now on, or close the window after some keys."""
        assert self.hands is not None
        if who == "server":
            threading.Timer(self.chance.uniform(0.1, 4), self.server.kill).start()
        elif who == "browser":
            self.hands.left = self.chance.randint(1, 40)

    def strike(self, who: str, kind: str) -> None:
        """What was to be killed is dead, the work's own process at the latest now; come in again."""
        assert self.hands is not None
        self.hands.left = 0
        if who == "server":
            self.server.wait()
            self.begin()
        elif who == "browser":
            self.hands.page.context.close()
            self.come_in()
        else:
            time.sleep(self.chance.uniform(0.05, 2.5))
            found = [job for job in all_jobs(Workspace.open(self.root)) if job.kind == kind and job.pid]
            for job in found:
                os.kill(job.pid, signal.SIGKILL)
            if not found:
                return
        self.kills[f"{who} at {kind}"] += 1

    def settle(self, kind: str) -> None:
        """Wait for the work of that kind to end; what was killed goes on by its button."""
        assert self.hands is not None
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE:
            mine = [job for job in all_jobs(Workspace.open(self.root)) if job.kind == kind]
            if mine and mine[0].may_go_on:
                self.hands.open("Jobs")
                self.hands.go("h2 a", mine[0].title)
                self.hands.past_the_head()
                self.hands.go("button", "Go on")
            elif not mine or not mine[0].running:
                break
            time.sleep(0.2)
        step = self.hands.step
        self.hands.waited[step] = self.hands.waited.get(step, 0.0) + time.monotonic() - began

    def do(self, step: str, kind: str, act: Callable[[Hands], None], done: Callable[[], bool], who: list[str]) -> None:
        """Do a step until it is done, with a kill a try for each of `who`."""
        assert self.hands is not None
        self.hands.step = step
        for killer in [*who, "", "", ""]:
            if done():
                return
            self.lie_in_wait(killer)
            try:
                act(self.hands)
            except Closed:
                pass
            except (Error, RuntimeError):
                if killer != "server":
                    raise
            if killer:
                self.strike(killer, kind)
            self.settle(kind)
        if not done():
            raise RuntimeError(f"{step} was not done after all its tries")

    # The steps, as a person takes them.

    def take_in(self, side: str) -> Callable[[Hands], None]:
        def act(hands: Hands) -> None:
            hands.open("Footage")
            hands.write("input[name=path]", "", str(self.films[side]))
            hands.choose("side", side)
            hands.write("input[name=person]", "", "Ann" if side == "a" else "Bob")
            hands.choose("basis", "own")
            hands.go("button", "Take it in")

        return act

    def take_photograph(self, side: str) -> Callable[[Hands], None]:
        def act(hands: Hands) -> None:
            hands.open("Footage")
            hands.write("input[name=path]", "", str(self.photographs[side]))
            hands.choose("side", side)
            hands.choose("as", "reference")
            hands.go("button", "Take it in")

        return act

    def find(self, side: str) -> Callable[[Hands], None]:
        def act(hands: Hands) -> None:
            hands.open("Footage")
            hands.go("button", f"Find the faces of side {side.upper()}")

        return act

    def review(self, hands: Hands) -> None:
        hands.open("Overview")
        hands.go("a", "Review alone")
        if hands.page.locator("#by").count():
            hands.write("#by", "", "Ann")
            with hands.page.expect_navigation():
                hands.press("Enter")
        for _ in range(12):
            hands.page.wait_for_load_state()
            if not hands.page.locator("#grid").count():
                return
            hands.reach("input", "Keep them all")
            hands.press("Space")
            hands.go("button", "Send answers")

    def merge(self, side: str) -> Callable[[Hands], None]:
        def act(hands: Hands) -> None:
            hands.open("Overview")
            hands.go("a", "Merge: see the plan")
            hands.past_the_head()
            form = hands.page.locator("form", has=hands.page.get_by_role("button", name=f"Merge side {side.upper()}"))
            if form.locator("[name=accept_unproved]").count():
                hands.reach("[name=accept_unproved]")
                hands.press("Space")
            hands.go("button", f"Merge side {side.upper()}")
            until = time.monotonic() + _PATIENCE
            while self.app.standing_merge(Side(side)) is None and time.monotonic() < until:
                if self.server.poll() is not None:
                    return
                time.sleep(0.2)

        return act

    def train(self, hands: Hands) -> None:
        hands.open("Training")
        hands.write("input[name=minutes]", "", "0.1")
        hands.reach("input[name=occlusion]")
        hands.press("Space")
        hands.go("button", "Train")

    def convert(self, hands: Hands) -> None:
        hands.open("Results")
        hands.go("button", "Make the film")


def walk(way: Walk, who: list[str], until: str) -> list[str]:
    """Go the whole way, or until a step is done, from where it stands; what is wrong at its end."""
    way.begin()
    hands = way.hands
    assert hands is not None
    if not (way.root / CONFIG_NAME).is_file():
        hands.step = "project"
        hands.write("input[name=name]", "Name", "swap")
        with hands.page.expect_navigation():
            hands.press("Enter")
    last = None
    for step, kind, act, done in steps_of(way):
        if last == until != step:
            return []
        way.do(step, kind, act, done, list(who))
        last = step
    return [] if until and until != last else wrong(way.app)


_Step = tuple[str, str, Callable[[Hands], None], Callable[[], bool]]


def steps_of(way: Walk) -> list[_Step]:
    """The steps after the project is made: name, kind of job, what to do, whether it is done."""
    reference = way.root / "references"
    steps: list[_Step] = []
    for side in ("a", "b"):
        of = Side(side)
        steps += [
            ("footage", "ingest", way.take_in(side), lambda of=of: len(sources(way.app.workspace, of)) == 1),
            ("faces", "extract", way.find(side), lambda of=of: way.found(of)),
            ("photograph", "reference", way.take_photograph(side), lambda side=side: any(reference.glob(f"{side}/*"))),
        ]  # fmt: skip
    steps.append(("review", "review", way.review, lambda: len({v.face_id for v in way.app.store.votes()}) == 28))
    for side in ("a", "b"):
        of = Side(side)
        steps.append(("merge", "merge", way.merge(side), lambda of=of: way.app.standing_merge(of) is not None))
    results = way.root / "results"
    return [
        *steps,
        ("train", "train", way.train, lambda: any(item.finished for item in runs(way.app.workspace))),
        ("convert", "convert", way.convert, lambda: len(list(results.glob("*-swapped.json"))) == 1),
    ]


def wrong(app: App) -> list[str]:
    """What there is too many or too few of."""
    workspace = app.workspace
    faces = app.store.faces()
    votes = Counter((vote.face_id, vote.question, vote.worker_id) for vote in app.store.votes())
    film = next((workspace.root / "results").glob("*-swapped.mp4"))
    record = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
    pictures = [len(list(workspace.faces_dir(side).glob("*.png"))) for side in Side]
    told = {
        "sources": (len(sources(workspace)), 2),
        "faces": (len({face.face_id for face in faces}), 2 * _FRAMES),
        "faces listed": (len(faces), 2 * _FRAMES),
        "pictures": (pictures, [_FRAMES, _FRAMES]),
        "votes that one person gave twice": (sum(count > 1 for count in votes.values()), 0),
        "merges": ([len(facesets(workspace, side)) for side in Side], [1, 1]),
        "films": (len(list((workspace.root / "results").glob("*-swapped.mp4"))), 1),
        "frames": (sum(1 for _ in open_source(film).read()), _FRAMES),
        "frames swapped": (record["swapped_frames"], [[1, _FRAMES]]),
        "uploads left": (len(list((workspace.root / "uploads").glob("*"))), 0),
        "jobs at work": (sum(job.running for job in all_jobs(workspace)), 0),
    }
    return [f"{name}: {found}, not {right}" for name, (found, right) in told.items() if found != right]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", nargs="+", default=[], choices=["job", "server", "browser"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="go on with what lies there, and leave it there")
    parser.add_argument("--until", default="", metavar="STEP", help="footage … convert; side A's and B's count as two")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        here = args.folder or Path(folder)
        here.mkdir(parents=True, exist_ok=True)
        people = {"a": "astronaut", "b": "hopper"}
        films = {side: write_clip(here / f"{side}.mp4", filmed_frames(_FRAMES, who)) for side, who in people.items()}
        photographs = {side: here / f"{side}.png" for side in people}
        for side, who in people.items():
            Image.fromarray(filmed_frames(1, who, (640, 360))[0]).save(photographs[side])
        way = Walk(here / "shelf", films, photographs, browser, random.Random(args.seed))
        began = time.monotonic()
        with way.stack:
            found = walk(way, args.kills, "photograph" if args.quick else args.until)
        hands = way.hands
        assert hands is not None
        for step, count in hands.keys.items():
            print(f"{step:11} {count:5} keys, {hands.waited.get(step, 0.0) / 60:5.2f} minutes waited for")
        for name, count in way.kills.items():
            print(f"killed: {name}, {count}")
        for line in found:
            print(f"WRONG {line}")
        print(json.dumps({
            "keys": hands.keys.total(), "minutes_waited": round(sum(hands.waited.values()) / 60, 2),
            "minutes": round((time.monotonic() - began) / 60, 2), "kills": way.kills.total(), "wrong": found,
        }))  # fmt: skip


if __name__ == "__main__":
    main()
