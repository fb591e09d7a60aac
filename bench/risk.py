"""Are errors met first? The order of the grid on labelled faces, after simulated workers have answered.

    python -m bench.risk FOLDER [--seeds 5] [--votes 3] [--set NAME] [--together] [--quick]

FOLDER holds `labels.csv` and `references.csv`, as for `bench.people`. On each set so many simulated workers, drawn
from the demo's crowd (one careful, three average, one hasty, one who answers at random), answer every face once; the
workspace decides with its usual settings. Of what it decided, what is wrong by the labels is looked for in the grid's
order: how many percent of the decided faces does a person look at until half, and nine tenths, of the wrong ones were
met? The peers are the order by the answers' doubt alone, and the film's own order. The labels are read by workers and
by the count, by nothing else. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from galloway.curation.listing import Order, Wanted, page_of_faces
from galloway.curation.types import AssignmentId, FaceId, PageKind, Question, Side, Status, Vote, WorkerId
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.asking.sight import look_at
from galloway.pipeline.asking.tasks import choices_for
from galloway.pipeline.demo.crowd import DEMO_CROWD, answer
from galloway.pipeline.demo.truth import TrueFace

from bench.people_made import copied, face_name, prepared
from bench.people_sets import LabelledFace, LabelledSet, read_sets, together

ORDERS = {"risk": Order.RISK, "doubt": Order.DOUBT, "film": Order.FILM}
SHARES = (0.5, 0.9)


def ask(app: App, labelled: LabelledSet, votes: int, seed: int) -> dict[FaceId, bool]:
    """Let simulated workers answer every face; which ones are to be kept."""
    by_name = {face_name(face): face for face in labelled.faces}
    values = [choice.value for choice in choices_for(PageKind.BOTH, Side.B)]
    chance, cast, right = random.Random(seed), [], {}
    for place, face in enumerate(app.store.faces(Side.B)):
        true = by_name[face.name]
        right[face.face_id] = true.wanted
        for worker in chance.sample(range(len(DEMO_CROWD)), votes):
            said = answer(DEMO_CROWD[worker], _seen(true), values, chance)
            cast += _votes(face.face_id, said, f"sim-{worker}", place // 24)
    app.store.add_votes(cast)
    return right


def _seen(face: LabelledFace) -> TrueFace:
    if face.wanted:
        return TrueFace("keep", None, "same")
    return TrueFace("reject", face.reason or "bad_crop", "different" if face.reason == "another_person" else "same")


def _votes(face: FaceId, said: str, worker: str, page: int) -> list[Vote]:
    label, _, reason = said.partition(":")
    if label not in ("keep", "reject"):
        return []
    labels = [(Question.USABLE, label, reason or None)]
    if label == "keep" or reason == "another_person":
        labels.append((Question.IDENTITY, "same" if label == "keep" else "different", None))
    made = {"assignment_id": AssignmentId(f"{worker}-{page}"), "round": 1, "submitted_at": datetime.now(UTC)}
    return [
        Vote(face, question, word, WorkerId(worker), reason=why, simulated=True, seconds=2.0, look="both:face", **made)  # type: ignore[arg-type]
        for question, word, why in labels
    ]


def met(app: App, right: Mapping[FaceId, bool], order: Order) -> tuple[int, int, list[float]]:
    """Wrong faces, decided faces, and the shares of these to be looked at until `SHARES` of the wrong were met."""
    shown = [
        row for row in page_of_faces(app.workspace.db, Wanted(side=Side.B, order=order))
        if row.status in (Status.APPROVED, Status.REJECTED)
    ]  # fmt: skip
    wrong = [
        place for place, row in enumerate(shown, 1) if (row.status is Status.APPROVED) is not right[row.face.face_id]
    ]
    if not wrong:
        return 0, len(shown), []
    return len(wrong), len(shown), [wrong[max(0, round(share * len(wrong)) - 1)] / len(shown) for share in SHARES]


def measured(labelled: LabelledSet, seeds: int, votes: int) -> dict[str, object]:
    """One set: the medians of several crowds."""
    found: dict[str, list[list[float]]] = {name: [] for name in ORDERS}
    counts = []
    ready = prepared(labelled, 1)
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            app = copied(ready, Path(folder) / "w", seed)
            look_at(app, Side.B)
            right = ask(app, labelled, votes, seed)
            decide(app)
            for name, order in ORDERS.items():
                wrong, decided, shares = met(app, right, order)
                found[name] += [shares] if shares else []
            counts.append((wrong, decided))
            app.workspace.db.dispose()
    return {
        "faces": len(labelled.faces), "wrong": [wrong for wrong, _ in counts], "decided": [few for _, few in counts],
        **{name: _medians(shares) for name, shares in found.items()},
    }  # fmt: skip


def _medians(shares: Sequence[Sequence[float]]) -> list[float]:
    return [round(statistics.median(column), 4) for column in zip(*shares, strict=True)]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description="Are errors met first?")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--votes", type=int, default=3)
    parser.add_argument("--set", dest="only")
    parser.add_argument("--together", action="store_true", help="one set of all, once for each set's person")
    parser.add_argument("--quick", action="store_true", help="the first set, two crowds")
    args = parser.parse_args()
    every = together(args.folder) if args.together else read_sets(args.folder)
    sets = [one for one in every if args.only in (None, one.name)]
    results = {}
    for labelled in sets[:1] if args.quick else sets:
        results[labelled.name] = one = measured(labelled, 2 if args.quick else args.seeds, args.votes)
        print(f"set {labelled.name}: {one['faces']} faces, wrong {one['wrong']} of {one['decided']} decided")
        for name in ORDERS:
            print(f"  {name:<6} half of the wrong in the first {one[name]}")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
