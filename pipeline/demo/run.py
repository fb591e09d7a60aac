"""The demo: the whole job on footage made from public-domain photographs, with simulated workers or with people.

Because the generator knows what it drew, the approved facesets are measured against the truth. Only the simulated
workers and that measurement read the truth file; no step of the job does.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ...curation.files import write_atomic
from ...curation.types import Face, Progress, Side, Status
from ...mturk.requester.money import written
from ..app import App
from ..asking.collect import collect
from ..asking.progress import open_hits, waiting_faces, waiting_pairs
from ..asking.publish import plan_round, publish_round
from ..asking.settle import take_back
from ..engines.base import TrainEvent
from ..errors import NothingToDo
from ..market.local import RunningMarket, serve_market
from ..market.pictures import face_file, worker_jpeg
from ..market.session import MarketSession
from ..stages.convert import Converted, convert
from ..stages.convert_options import ConvertOptions
from ..stages.extract import extract
from ..stages.ingest import add_references, ingest
from ..stages.merge import merge
from ..stages.report import write_report
from ..stages.setup import make_workspace
from ..stages.train import TrainOptions, approved_facesets, train
from ..workspace.runs import Run, runs
from .crowd import DEMO_CROWD, SampleTruth, run_crowd
from .footage import Footage, Truth, load_truth, make_footage, truth_of_face

__all__ = ["Demo", "DemoResult", "Quality", "measure", "run_demo"]

MAX_ROUNDS = 40
PEOPLE_POLL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Quality:
    """An approved faceset against the truth: of its faces, how many are wanted; of the wanted, how many are in it."""

    found: int
    wanted: int
    approved: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.approved if self.approved else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else 0.0


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo made, all paths absolute."""

    report: Path
    facesets: dict[Side, Path]
    quality: dict[Side, Quality]
    model: Path
    video: Path
    side_by_side: Path
    preview: Path
    paid: Decimal
    votes: int
    hits: int
    currency: str
    simulated: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Demo:
    """How the demo is run. `say` tells one line per stage; `progress` gives the progress of a stage by its name."""

    folder: Path
    small: bool
    people: bool
    seed: int
    say: Callable[[str], None]
    stage: Callable[[str], Progress]


def run_demo(demo: Demo) -> DemoResult:
    """Run what of the job is not done yet. Killed anywhere, the same call goes on from there."""
    started = time.monotonic()
    app = App(make_workspace(demo.folder, "demo")[0])
    with app.workspace.lock("the demo"):
        footage = _footage(demo, app)
        _ingest(demo, app, footage)
        _extract(demo, app)
        truth = load_truth(footage.truth)
        _ask_until_settled(demo, app, truth)
        _merge(demo, app)
        report = write_report(app, None, progress=demo.stage("report"))
        demo.say(f"report: {app.workspace.relative(report.html)}")
        run = _train(demo, app)
        swapped = _convert(demo, app)
    return DemoResult(
        report=report.html,
        facesets={side: app.workspace.faces_dir(side) for side in Side},
        quality=measure(app, truth),
        model=app.workspace.inside(run.record["model_dir"]),
        video=swapped.result.output,
        side_by_side=swapped.side_by_side,
        preview=swapped.contact_sheet,
        paid=sum((row["amount"] + row["fee"] for row in app.ledger.payments("local")), Decimal("0.00")),
        votes=app.store.count_votes(),
        hits=len(app.ledger.hits("local")),
        currency=app.settings.market.currency,
        simulated=not demo.people,
        seconds=time.monotonic() - started,
    )


def measure(app: App, truth: Truth) -> dict[Side, Quality]:
    """The standing facesets against what the generator drew."""
    found = {}
    for side in Side:
        everything = app.store.faces(side, rejected=True)
        wanted = {face.face_id for face in everything if truth_of_face(truth, side, face.source_name, face.box).wanted}
        standing = {face.face_id for face in app.store.faces(side)}
        found[side] = Quality(len(everything), len(wanted), len(standing), len(wanted & standing))
    return found


def _footage(demo: Demo, app: App) -> Footage:
    """The footage, made once: the truth file is written last and marks it whole."""
    folder = app.workspace.root / "footage"
    clips = {side: folder / f"clip_{side.value}.mp4" for side in Side}
    if not (folder / "truth.json").is_file():
        footage = make_footage(folder, seed=demo.seed, small=demo.small)
        demo.say(f"footage: two clips with sound in {app.workspace.relative(folder)}")
        return footage
    references = {side: tuple(sorted((folder / "references" / side.value).glob("*.png"))) for side in Side}
    return Footage(clips=clips, references=references, truth=folder / "truth.json")


_SOURCES = {
    "astronaut": "scikit-image's astronaut photograph of Eileen Collins (NASA, public domain)",
    "hopper": "matplotlib's sample photograph of Grace Hopper (US Navy, public domain)",
}


def _ingest(demo: Demo, app: App, footage: Footage) -> None:
    people = load_truth(footage.truth).people
    for side in Side:
        person = people[side]
        done = ingest(
            app,
            footage.clips[side],
            side,
            person=person,
            basis="public-domain",
            note=next((text for name, text in _SOURCES.items() if name in person), "a photograph in the public domain"),
        )
        add_references(app, side, footage.references[side])
        if done.added:
            demo.say(f"ingest: side {side.value} is {person}, public domain")


def _extract(demo: Demo, app: App) -> None:
    try:
        for item in extract(app, progress=demo.stage("extract")):
            demo.say(f"extract: side {item.source.side.value}: {item.faces} faces in {item.frames} frames")
    except NothingToDo:
        demo.say("extract: done before")


def _ask_until_settled(demo: Demo, app: App, truth: Truth) -> None:
    """Rounds of publish → answers → collect until nothing is left to ask."""
    if all(app.standing_merge(side) for side in Side):
        return
    sample = None if demo.people else _sample_truth(app, truth)
    with serve_market(app.workspace) as running, app.market("local") as session:
        if demo.people:
            invite = running.invite("galloway demo --people", uses=50)
            demo.say(f"The worker site: {session.market.worker_url}   Sign up at {invite}")
        for number in range(1, MAX_ROUNDS + 1):
            published = False
            try:
                planned = plan_round(app, session)
            except NothingToDo:
                if not waiting_pairs(app, session.market.state_key):
                    return
            else:
                published = True
                publish_round(app, session, planned, demo.stage("publish"))
                hits = sum(quote.hits for quote in planned.quotes)
                price = written(planned.price, app.settings.market.currency)
                demo.say(f"publish: round {number}: {planned.faces} faces on {hits} HITs for {price}")
            answered = _answer(demo, app, session, running, sample, number)
            if not published and not answered:
                demo.say("collect: the workers have seen every face that is still open; the rules of the sides decide")
                for key in sorted({batch_key for batch_key, _ in open_hits(app, session.market.state_key)}):
                    take_back(app, session, key)  # nobody is left who could answer it
                return


def _answer(
    demo: Demo, app: App, session: MarketSession, running: RunningMarket, sample: SampleTruth | None, number: int
) -> int:
    """Wait for answers, or let the simulated workers give them; how many pages they answered."""
    if sample is None:
        while left := len(waiting_faces(app, session.market.state_key)):
            demo.stage("people")(f"waiting for answers at {session.market.worker_url}, faces left", left, None)
            time.sleep(PEOPLE_POLL_SECONDS)
            collect(app, session)
        return 1
    assert session.addresses is not None
    done = run_crowd(
        session.addresses.worker,
        sample,
        DEMO_CROWD,
        seed=demo.seed * 100 + number,
        invite=lambda: running.invite("simulated workers", uses=1),
        progress=demo.stage("answer"),
    )
    _note_simulated(app, done.worker_ids)
    got = collect(app, session, progress=demo.stage("collect"))
    counts = Counter(item.status.value for item in got.decisions if item.question is None)
    demo.say(
        f"collect: {done.submitted} pages answered by simulated workers, {got.new_votes} votes; "
        + ", ".join(f"{counts[status.value]} {status.value}" for status in Status if counts[status.value])
    )
    return done.submitted


def _sample_truth(app: App, truth: Truth) -> SampleTruth:
    """The sample's truth file for simulated workers: by the pictures that they will see, nothing else."""
    path = app.workspace.root / "footage" / "pictures.json"
    if not path.is_file():
        entries = []
        for face in app.store.faces(rejected=True):
            entries.append((_picture(app, face), truth_of_face(truth, face.side, face.source_name, face.box)))
        SampleTruth.write(path, entries)
    return SampleTruth.read(path)


def _picture(app: App, face: Face) -> bytes:
    path = face_file(app.workspace, app.store, face.face_id)
    assert path is not None, f"{face.name} is gone"
    return worker_jpeg(path)


def _note_simulated(app: App, worker_ids: tuple[str, ...]) -> None:
    path = app.workspace.path("market", "simulated.json")
    known = set(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else set()
    write_atomic(path, json.dumps(sorted(known | set(worker_ids))))


def _merge(demo: Demo, app: App) -> None:
    for side in Side:
        if app.standing_merge(side) is not None:
            demo.say(f"merge: side {side.value}: done before")
            continue
        # Nobody is there to settle what the crowd left open: by the rule of the side, A keeps and B drops.
        done = merge(app, side, open_faces="keep" if side is Side.A else "reject", progress=demo.stage("merge"))
        demo.say(f"merge: side {side.value}: {done.faceset.faces} faces approved, {done.faceset.rejected} rejected")


def _train(demo: Demo, app: App) -> Run:
    facesets = approved_facesets(app)
    for run in runs(app.workspace):
        same = all(run.record["facesets"][side.value]["digest"] == item.digest for side, item in facesets.items())
        if run.finished and same and run.record["result"]["stopped"] != "interrupted":
            demo.say("train: done before")
            return run
    # By iterations, so that a busy machine takes longer instead of making a worse video; the minutes are a bound.
    options = TrainOptions(iterations=40 if demo.small else 240, batch_size=8, save_every=100, minutes=10.0)
    tell = demo.stage("train")

    def on_event(event: TrainEvent) -> None:
        if event.kind == "loss":
            tell(f"iterations, loss A {event.loss_a:.3f} B {event.loss_b:.3f}", event.iteration, None)

    run, outcome = train(app, options, engine="embedded", on_event=on_event)
    demo.say(f"train: {outcome.iterations} iterations, loss A {outcome.loss_a:.3f}, B {outcome.loss_b:.3f}")
    return run


def _convert(demo: Demo, app: App) -> Converted:
    done = convert(
        app,
        ConvertOptions(output=app.workspace.root / "results" / "swapped.mp4"),
        progress=demo.stage("convert"),
    )
    demo.say(f"convert: {done.result.swapped} of {done.result.frames} frames swapped")
    return done
