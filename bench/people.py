"""What does a face cost, and what goes wrong? The whole loop on labelled crops, through the real marketplace.

    python -m bench.people FOLDER [--grow N] [--together] [--crowd alike|drawn] [--in-order] [--seed S] [--set NAME]

FOLDER holds `labels.csv` (file, set, source, frame, identity, keep, reason) and `references.csv` (set, file; for
`--together` identity), as for `bench.screen`. Each set is a workspace of its own with the settings of `galloway init`:
faces are published, six **simulated workers** answer them on the worker site (one careful, three average, one hasty,
one who answers at random), answers are collected, until nothing is left to ask. Chance says who takes the next page;
with `--in-order` the careful one always comes first, which is the easy case. What the workers know is what the labels
say; nothing else reads them. A vote is one worker's look at one face, and answers both questions.

`--grow N` makes N faces of each set, as tracks. `--together` makes one set of all, once for each set's person.
`--crowd alike`: on half of the faces the members of the crowd see the same, so that they err on the same faces.
`--crowd drawn`: each confirms six of ten groups that are proposed as the person's, whatever they show.

The peers, on the same crowd: three votes on every face by majority; seven; cleanlab's CROWDLAB on the same three votes
and our features, run by the Python that the environment variable GALLOWAY_CLEANLAB_PYTHON names, if any.
With each set: what would be wrong and open if asking had stopped earlier. Nothing here is tuned to a folder: run it on
footage of your own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from galloway.curation.types import Side, Status
from galloway.mturk.requester.money import written
from galloway.pipeline.app import App
from galloway.pipeline.asking.collect import collect
from galloway.pipeline.asking.decide import Inference, infer
from galloway.pipeline.asking.progress import open_hits, waiting_pairs
from galloway.pipeline.asking.publish import plan_round, publish_round
from galloway.pipeline.asking.settle import take_back
from galloway.pipeline.demo.crowd import DEMO_CROWD, CrowdResult, Profile, TrueFace, run_crowd
from galloway.pipeline.demo.truth import SampleTruth
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.market.pictures import worker_jpeg
from galloway.pipeline.market.session import serve_market

from bench.people_curve import Point, point, told
from bench.people_made import copied, face_name, prepared
from bench.people_peers import peers
from bench.people_sets import LabelledFace, LabelledSet, grown, read_sets, together

MOST_ROUNDS = 60
IN_ORDER = "the careful worker takes the first page of each round, not whom chance says"
CROWDS = {
    "demo": DEMO_CROWD,
    "alike": tuple(replace(profile, alike=0.5) for profile in DEMO_CROWD),
    "drawn": tuple(replace(profile, drawn=0.6) for profile in DEMO_CROWD),
}
CROWD = "alike: its members err on the same faces; drawn: they confirm six of ten groups without looking"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one set cost and what went wrong."""

    name: str
    faces: int
    wanted: int
    votes: int
    actions: int
    seconds: float
    price: Decimal
    rounds: int
    false_rejects: int
    false_keeps: int
    open: int
    bound: float
    curve: tuple[Point, ...] = ()
    peers: dict[str, tuple[int, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "faces": self.faces,
            "votes_per_face": round(self.votes / self.faces, 4),
            "actions_per_face": round(self.actions / self.faces, 4),
            "false_rejects": self.false_rejects,
            "false_keeps": self.false_keeps,
            "open": self.open,
            "bound": round(self.bound, 4),
            "curve": [at.as_json() for at in self.curve],
            "peers": {name: {"false_rejects": lost, "false_keeps": kept} for name, (lost, kept) in self.peers.items()},
        }


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grow", type=int, metavar="N", help="tracks of N faces in all, for each set")
    parser.add_argument("--together", action="store_true", help="all sets as one, once for each set's person")
    parser.add_argument("--crowd", choices=CROWDS, default="demo", help=CROWD)
    parser.add_argument("--in-order", action="store_true", help=IN_ORDER)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", metavar="NAME", help="only this set (again for more)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes that look at faces")
    options = parser.parse_args()
    sets = together(options.folder) if options.together else read_sets(options.folder)
    found = {}
    for labelled in sets:
        if options.set and labelled.name not in options.set:
            continue
        if options.grow:
            labelled = grown(labelled, options.grow)
        found[labelled.name] = measure(labelled, options)
    if not found:
        parser.error(f"there is no such set; there are {', '.join(item.name for item in sets)}")
    worst = max(found.values(), key=lambda item: (item.false_rejects, item.false_keeps, item.votes / item.faces))
    print(f"\nWorst set: {worst.name}; simulated workers, seed {options.seed}.")
    print(json.dumps({"bench": "people", "sets": {name: item.as_json() for name, item in found.items()}}))


def turns(seed: int) -> random.Random:
    """The chance that says who takes the next page."""
    return random.Random(f"turns {seed}")


def measure(labelled: LabelledSet, options: argparse.Namespace) -> Figures:
    """One set from faces to decisions, and the peers beside it; prints both."""
    kept, crowd, seed = prepared(labelled, options.jobs), CROWDS[options.crowd], options.seed
    with tempfile.TemporaryDirectory(prefix="galloway-people-") as made:
        started = time.monotonic()
        app = copied(kept, Path(made) / "w", seed)
        named = {face_name(face): face for face in labelled.faces}
        truth = sample_truth(app, named)
        asked = ask(app, truth, named, crowd, seed, None if options.in_order else turns(seed))
        figures = judge(app, named, labelled, asked)
        tell(app, figures, time.monotonic() - started)
        known = {name: true_face(face) for name, face in named.items()}
        return replace(figures, peers=peers(app, known, crowd, seed))


def sample_truth(app: App, named: dict[str, LabelledFace]) -> SampleTruth:
    """What the simulated workers know: by the pictures that they will see, nothing else."""
    folder = app.workspace.faces_dir(Side.B)
    return SampleTruth.of((worker_jpeg(folder / name), true_face(face)) for name, face in named.items())


def true_face(face: LabelledFace) -> TrueFace:
    """A worker's right answers to both questions."""
    if face.wanted:
        return TrueFace("keep", None, "same")
    return TrueFace("reject", face.reason, "different" if face.reason == "another_person" else "same")


@dataclass
class Asked:
    """What asking took: rounds, price, what the crowd did, and where the faces stood after each round."""

    rounds: int = 0
    price: Decimal = Decimal("0.00")
    crowds: list[CrowdResult] = field(default_factory=list)
    curve: list[Point] = field(default_factory=list)


def ask(
    app: App,
    truth: SampleTruth,
    named: dict[str, LabelledFace],
    crowd: Sequence[Profile],
    seed: int,
    chance: random.Random | None,
) -> Asked:
    """Publish, let the crowd answer, collect, until nothing is left to ask."""
    asked, wanted = Asked(), {face.face_id: named[face.name].wanted for face in app.store.faces(Side.B)}
    with serve_market(app.workspace) as running, app.market("local") as session:
        assert session.addresses is not None
        for _ in range(MOST_ROUNDS):
            published = False
            try:
                planned = plan_round(app, session)
            except NothingToDo:
                if not waiting_pairs(app, session.market.state_key):
                    break
            else:
                published = True
                publish_round(app, session, planned)
                asked.price += planned.price
            asked.rounds += 1
            done = run_crowd(
                session.addresses.worker,
                truth,
                crowd,
                seed=seed,
                chance=chance,
                invite=lambda: running.invite("simulated workers", uses=1),
            )
            asked.crowds.append(done)
            got = collect(app, session)
            asked.curve.append(point(got.decisions, app.store.votes(), wanted))
            if not published and not done.submitted:
                for key in sorted({key for key, _ in open_hits(app, session.market.state_key)}):
                    take_back(app, session, key)  # nobody is left who could answer it
                break
    return asked


def judge(app: App, named: dict[str, LabelledFace], labelled: LabelledSet, asked: Asked) -> Figures:
    """The decisions against the labels."""
    known = infer(app)
    statuses = {item.face_id: item.status for item in known.decisions if item.question is None}
    counts: Counter[tuple[Status, bool]] = Counter()
    for face in app.store.faces(Side.B):
        counts[statuses[face.face_id], named[face.name].wanted] += 1
    deeds = [deed for crowd in asked.crowds for worker in crowd.workers for deed in worker.deeds]
    return Figures(
        name=labelled.name,
        faces=len(labelled.faces),
        wanted=labelled.wanted,
        votes=len({(vote.face_id, vote.assignment_id) for vote in known.votes}),
        actions=sum(deed.marked + (deed.marked < deed.faces) + 1 for deed in deeds),
        seconds=sum(deed.seconds for deed in deeds),
        price=asked.price,
        rounds=asked.rounds,
        false_rejects=counts[Status.REJECTED, True],
        false_keeps=counts[Status.APPROVED, False],
        open=sum(count for (status, _), count in counts.items() if status in (Status.UNDECIDED, Status.DISPUTED)),
        bound=bound_of(known),
        curve=tuple(asked.curve),
    )


def bound_of(known: Inference) -> float:
    """At most this share of the decided faces is wrong, 95 % sure."""
    return max((lesson.proof().bound for lesson in known.lessons.values()), default=1.0)


def tell(app: App, figures: Figures, wall: float) -> None:
    """The set for people."""
    share = figures.votes / figures.faces
    print(f"\n{figures.name}: {figures.faces} faces, {figures.wanted} wanted ({wall:.0f} s)")
    print(
        f"  taught: {share:.2f} votes, {figures.actions / figures.faces:.3f} actions, "
        f"{figures.seconds / figures.faces:.2f} s a face; {written(figures.price, app.settings.market.currency)}, "
        f"{figures.rounds} rounds"
    )
    print(
        f"          {figures.false_rejects} wanted lost, {figures.false_keeps} wrong kept, {figures.open} open; "
        f"at most {figures.bound:.1%} wrong (95 % sure)"
    )
    print(told(figures.curve))


if __name__ == "__main__":
    main()
