"""The steps from nothing to the film, as a person takes them, and what there must be at their end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from galloway.curation.types import Side
from galloway.mturk.requester import ledger_tables
from galloway.pipeline.app import App
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.jobs.kept import all_jobs
from galloway.pipeline.market.pictures import reference_files
from galloway.pipeline.workspace.approved import facesets
from galloway.pipeline.workspace.films import films_in, written_beside
from galloway.pipeline.workspace.folder import CONFIG_NAME, Workspace
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.runs import runs
from PIL import Image
from sqlalchemy import func, select

from tests.support.engines import filmed_frames, write_clip

from .hands import Hands

__all__ = ["FRAMES", "Shelf", "Step"]

FRAMES = 14
_PAGES = 12
"""Pages of a review, at most."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step: `kind` of the job that it starts ("" where a page does it), what a person does, whether it is done."""

    name: str
    kind: str
    act: Callable[[Hands], None]
    done: Callable[[], bool]


@dataclass
class Shelf:
    """An empty folder for the studio, and two clips and two photographs beside it."""

    folder: Path
    saved: list[bytes] = field(default_factory=list)
    """What was downloaded."""

    def __post_init__(self) -> None:
        beside = self.folder.parent
        self.films, self.photographs = {}, {}
        for side, who in (("a", "astronaut"), ("b", "hopper")):
            self.films[side] = write_clip(beside / f"{side}-film.mp4", filmed_frames(FRAMES, who))
            self.photographs[side] = beside / f"{side}-portrait.png"
            Image.fromarray(filmed_frames(1, who, (640, 360))[0]).save(self.photographs[side])

    @property
    def root(self) -> Path:
        return self.folder / "swap"

    @property
    def app(self) -> App:
        return App(Workspace.open(self.root))

    @property
    def made(self) -> bool:
        return (self.root / CONFIG_NAME).is_file()

    def steps(self) -> list[Step]:
        """All of them, in order."""
        steps = [Step("project", "", make_project, lambda: self.made)]
        for side in ("a", "b"):
            steps += self._steps_of(side)
        steps.append(Step("review", "", review, lambda: self.reviewed))
        for side in ("a", "b"):
            of = Side(side)
            steps.append(Step(f"merge {side}", "", merge(side), lambda of=of: self.app.standing_merge(of) is not None))
        return [
            *steps,
            Step("train", "train", train, lambda: any(item.finished for item in runs(self.app.workspace))),
            Step("convert", "convert", convert, lambda: len(list(self.root.glob("results/*-swapped.mp4.json"))) == 1),
            Step("download", "", self.download, lambda: bool(self.saved)),
        ]

    def _steps_of(self, side: str) -> list[Step]:
        of = Side(side)
        return [
            Step(f"footage {side}", "ingest", take_in(self.films[side], side), lambda: self.came(of)),
            Step(f"faces {side}", "extract", find(side), lambda: self.looked(of)),
            Step(
                f"photograph {side}", "reference", take_photograph(self.photographs[side], side),
                lambda: bool(reference_files(self.app.workspace, of)),
            ),
        ]  # fmt: skip

    def came(self, side: Side) -> bool:
        """Whether a side has its footage."""
        return len(sources(self.app.workspace, side)) == 1

    def looked(self, side: Side) -> bool:
        """Whether the faces of a side's footage were looked for."""
        return all(item.faces is not None for item in sources(self.app.workspace, side))

    @property
    def reviewed(self) -> bool:
        return len({vote.face_id for vote in self.app.store.votes()}) == 2 * FRAMES

    def download(self, hands: Hands) -> None:
        hands.open("Results")
        self.saved.append(hands.save("a[download]").read_bytes())

    def wrong(self) -> list[str]:
        """What there is too many or too few of."""
        app, workspace = self.app, self.app.workspace
        faces, results = app.store.faces(), workspace.root / "results"
        votes = Counter((vote.face_id, vote.question, vote.worker_id) for vote in app.store.votes())
        films = films_in(results)
        record = json.loads(written_beside(films[0]).record.read_text(encoding="utf-8"))
        told = {
            "projects": (len(list(self.folder.glob(f"*/{CONFIG_NAME}"))), 1),
            "sources": (len(sources(workspace)), 2),
            "photographs": ([len(reference_files(workspace, side)) for side in Side], [1, 1]),
            "faces": (len({face.face_id for face in faces}), 2 * FRAMES),
            "faces listed": (len(faces), 2 * FRAMES),
            "pictures": ([len(list(workspace.faces_dir(side).glob("*.png"))) for side in Side], [FRAMES, FRAMES]),
            "faces with votes": (len({face for face, _, _ in votes}), 2 * FRAMES),
            "votes that one person gave twice": (sum(count > 1 for count in votes.values()), 0),
            "payments": (_payments(app), 0),
            "merges": ([len(facesets(workspace, side)) for side in Side], [1, 1]),
            "trainings that ended": (sum(item.finished for item in runs(workspace)), 1),
            "films": (len(films), 1),
            "frames": (sum(1 for _ in open_source(films[0]).read()), FRAMES),
            "frames swapped": (record["swapped_frames"], [[1, FRAMES]]),
            "downloads that are the film": (sum(item == films[0].read_bytes() for item in self.saved), 1),
            "uploads left": (len(list((workspace.root / "uploads").glob("*"))), 0),
            "jobs at work": (sum(job.running for job in all_jobs(workspace)), 0),
        }
        return [f"{name}: {found}, not {right}" for name, (found, right) in told.items() if found != right]


def _payments(app: App) -> int:
    with app.workspace.db.connect() as db:
        return int(db.execute(select(func.count()).select_from(ledger_tables.payment)).scalar_one())


def make_project(hands: Hands) -> None:
    hands.write("input[name=name]", "Name", "swap")
    hands.go("button", "Make it", sends=True)


def take_in(film: Path, side: str) -> Callable[[Hands], None]:
    def act(hands: Hands) -> None:
        hands.open("Footage")
        hands.bring(film)
        hands.choose("side", side)
        hands.write("input[name=person]", "", "Ann" if side == "a" else "Bob")
        hands.choose("basis", "own")
        hands.go("button", "Take it in", sends=True)

    return act


def take_photograph(photograph: Path, side: str) -> Callable[[Hands], None]:
    def act(hands: Hands) -> None:
        hands.open("Footage")
        hands.bring(photograph)
        hands.choose("side", side)
        hands.choose("as", "reference")
        hands.go("button", "Take it in", sends=True)

    return act


def find(side: str) -> Callable[[Hands], None]:
    def act(hands: Hands) -> None:
        hands.open("Footage")
        hands.go("button", f"Find the faces of side {side.upper()}", sends=True)

    return act


def review(hands: Hands) -> None:
    hands.open("Overview")
    hands.go("a", "Review alone")
    if hands.page.locator("#by").count():
        hands.write("#by", "", "Ann")
        hands.go("button", "Begin")
    for _ in range(_PAGES):
        hands.page.wait_for_load_state()
        if not hands.page.locator("#grid").count():
            return
        hands.act("input", "Keep them all")
        hands.go("button", "Send answers", sends=True)


def merge(side: str) -> Callable[[Hands], None]:
    def act(hands: Hands) -> None:
        hands.open("Overview")
        hands.go("a", "Merge: see the plan")
        form = f"form:has(input[name=side][value={side}])"
        for choice in ("[name=accept_unproved]", "[name=open][value=keep]"):
            if hands.page.locator(f"{form} {choice}").count():
                hands.act(f"{form} {choice}")
        hands.go("button", f"Merge side {side.upper()}", sends=True)

    return act


def train(hands: Hands) -> None:
    hands.open("Training")
    hands.write("input[name=minutes]", "", "0.1")
    hands.act("input[name=occlusion]")
    hands.go("button", "Train", sends=True)


def convert(hands: Hands) -> None:
    hands.open("Results")
    hands.go("button", "Make the film", sends=True)
