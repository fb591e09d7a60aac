"""The loop of `bench.people` without the marketplace: the same decisions, pages and simulated workers, in seconds.

    python -m bench.people_replay FOLDER [--grow N] [--together] [--crowd C] [--in-order] [--seeds 1-5] [--set NAME]

For trying what costs votes; what is reported is measured by `bench.people`. Pages are laid out and answers are read by
the product's own functions; only sending, money and the store are left out. A line a set, then one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from galloway.curation.decide import combine
from galloway.curation.learn.features import Features
from galloway.curation.learn.pull import drawn_by
from galloway.curation.learn.verdicts import Taught, teach
from galloway.curation.learn.voters import Answers
from galloway.curation.types import (
    AssignmentId,
    Decision,
    Face,
    FaceId,
    PageKind,
    Question,
    Side,
    Status,
    Vote,
    WorkerId,
)
from galloway.pipeline.app import App
from galloway.pipeline.asking.choosing import advise_lessons
from galloway.pipeline.asking.gather import gather
from galloway.pipeline.asking.groups import stand_together
from galloway.pipeline.asking.layout import SEEN_BY_SEVERAL, BatchPlan, Layout, PageLayout, lay_out
from galloway.pipeline.asking.needs import find_needs
from galloway.pipeline.asking.pulls import compared
from galloway.pipeline.asking.sample import in_sample
from galloway.pipeline.asking.sight import Sight, seen
from galloway.pipeline.asking.tasks import GridTask, Tile, choices_for, look_of, meanings, parse_answers, rest_for
from galloway.pipeline.asking.taught import Lesson, as_unsure, by_the_same_look, lesson_of, verdicts
from galloway.pipeline.demo.crowd import Profile, TrueFace, answer, answer_group
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.settings import Settings

from bench.people import CROWD, CROWDS, IN_ORDER, MOST_ROUNDS, true_face, turns
from bench.people_curve import Point, point
from bench.people_made import face_name, prepared
from bench.people_sets import grown, read_sets, together

_ASKED = dict.fromkeys(Side, (Question.USABLE, Question.IDENTITY))


@dataclass
class Page:
    """A page on which so many places are still free, and who must not or did answer it."""

    plan: BatchPlan
    page: PageLayout
    places: int
    shut_out: set[str]


@dataclass
class Replay:
    """One set on its way from no answer to decisions."""

    faces: Sequence[Face]
    sight: Sight
    known: dict[FaceId, TrueFace]
    crowd: Sequence[Profile]
    seed: int
    in_order: bool = False
    votes: list[Vote] = field(default_factory=list)
    since: dict[tuple[FaceId, Question], datetime] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    answered: int = 0
    actions: int = 0
    rounds: int = 0
    curve: list[Point] = field(default_factory=list)
    alone: dict[tuple[FaceId, Question], int] = field(default_factory=dict)
    """With which others a face was asked first and singly."""
    batches: int = 0

    def __post_init__(self) -> None:
        self.settings = Settings(id=f"{self.seed:06x}")
        self.chance = turns(self.seed)
        # What advice asks of an App: its settings and its faces.
        self.app: Any = SimpleNamespace(settings=self.settings, store=SimpleNamespace(faces=lambda: self.faces))
        groups = stand_together(self.faces, {})
        share = self.settings.ask.mixed_share
        mixed = frozenset(one for one in set(groups.values()) if in_sample(self.app, "mixed", one, share))
        self.layout = Layout(self.settings.ask, _ASKED, frozenset({Side.B}), groups, mixed, seen_by=SEEN_BY_SEVERAL)

    def run(self) -> tuple[Lesson, list[Decision]]:
        """Ask until nothing is left to ask. A page for which nobody is left stays open, and nothing waits for it."""
        lesson, decisions = self.decided()
        for _ in range(MOST_ROUNDS):
            plans = self.plans(lesson, decisions)
            if not plans:
                break
            self.rounds += 1
            self.publish(plans)
            self.let_them_work()
            lesson, decisions = self.decided()
            self.curve.append(point(decisions, self.votes, self.wanted))
        return lesson, decisions

    @property
    def wanted(self) -> dict[FaceId, bool]:
        """What the labels say."""
        return {face: true.usable == "keep" for face, true in self.known.items()}

    def decided(self) -> tuple[Lesson, list[Decision]]:
        unsure = {(vote.face_id, vote.assignment_id) for vote in self.votes if vote.label == "cannot_tell"}
        by_key: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
        for vote in self.votes:
            by_key[vote.face_id, vote.question].append(vote)
        cast = [
            as_unsure(vote) if (vote.face_id, vote.assignment_id) in unsure else vote
            for vote in self.votes
            if vote.question is Question.USABLE
        ]
        told = compared(self.votes, self.layout.groups, self.layout.mixed, self.alone).get(Question.USABLE, ())
        lesson = lesson_of(
            Side.B, Question.USABLE, self.sight, cast, self.since, _taught, drawn=drawn_by(told) if told else None
        )
        found = verdicts(lesson, self.faces, by_key, "auto")
        found |= by_the_same_look(self.faces, found, by_key, {}, lesson.unfit)
        return lesson, [*found.values(), *combine(self.faces, found, _ASKED)]

    def plans(self, lesson: Lesson, decisions: list[Decision]) -> list[BatchPlan]:
        waiting = frozenset((face, item.plan.need.question) for item in self.pages for face in item.page.faces)
        known: Any = SimpleNamespace(votes=self.votes, decisions=decisions, lessons={(Side.B, Question.USABLE): lesson})
        advice = advise_lessons(
            self.app, known, price=Decimal("0.01"), budget=None, waiting=waiting, audited=frozenset(self.since)
        )
        needs, _ = find_needs(
            self.faces,
            self.votes,
            decisions,
            asked=dict.fromkeys(Side, (Question.USABLE,)),
            waiting=waiting,
            settings=self.settings.ask,
            advice=advice,
        )
        gathered = gather(needs, {vote.worker_id for vote in self.votes})
        return [plan for need in gathered for plan in lay_out(need, self.layout)]

    def publish(self, plans: Iterable[BatchPlan]) -> None:
        self.now += timedelta(minutes=1)
        for plan in plans:
            self.batches += 1
            if plan.page is PageKind.BOTH and plan.need.round == 1 and not plan.need.audit:
                self.alone |= {
                    (face.face_id, question): self.batches for face in plan.need.faces for question in Question
                }
            if plan.need.audit:
                self.since |= {(face.face_id, plan.need.question): self.now for face in plan.need.faces}
            self.pages += [Page(plan, page, plan.need.votes, set(plan.need.excluded)) for page in plan.pages]

    def let_them_work(self) -> None:
        """In turns of one page each, until nobody finds a page; chance says who comes first, anew in each turn."""
        working = list(self.crowd)
        while working:
            if not self.in_order:
                self.chance.shuffle(working)
            for worker in list(working):
                page = next((item for item in self.pages if worker.name not in item.shut_out), None)
                if page is None:
                    working.remove(worker)
                    continue
                page.places -= 1
                page.shut_out.add(worker.name)
                self.votes += self.answer(worker, page)
                self.pages = [item for item in self.pages if item.places]

    def answer(self, worker: Profile, page: Page) -> list[Vote]:
        """One worker's votes on one page."""
        kind, faces = page.plan.page, page.page.faces
        tiles = [Tile(f"k{place}", "", group=page.page.group_of(place)) for place in range(len(faces))]
        fields, marked = self.fields(worker, page, tiles)
        self.answered += 1
        self.actions += marked + (marked < len(tiles)) + 1
        return [
            Vote(
                face_id=faces[int(said.key[1:])],
                question=meaning.question,
                label=meaning.label,
                reason=meaning.reason,
                worker_id=WorkerId(worker.name),
                assignment_id=AssignmentId(str(self.answered)),
                round=page.plan.need.round,
                submitted_at=self.now,
                look=look_of(kind, said.by),
            )
            for said in parse_answers(GridTask(kind, Side.B, tiles), fields)
            for meaning in meanings(kind, said.value)
        ]

    def fields(self, worker: Profile, page: Page, tiles: Sequence[Tile]) -> tuple[dict[str, str], int]:
        """The form as the worker fills it in, and how many faces were marked."""
        values = [choice.value for choice in choices_for(page.plan.page, Side.B)]
        rest, _ = rest_for(page.plan.page)
        known = [self.known[face] for face in page.page.faces]
        dice = [self.dice(worker, face, values[0]) for face in page.page.faces]
        places: dict[int, list[int]] = defaultdict(list)
        for place, tile in enumerate(tiles):
            places[tile.group].append(place)
        fields: dict[str, str] = {}
        for group, members in places.items():
            if group:
                verdict, own = answer_group(worker, [known[n] for n in members], values, [dice[n] for n in members])
                fields[f"group.{group}"] = verdict
            else:
                sought = rest == "reject"
                own = [answer(worker, known[n], values, dice[n], sought=sought) for n in members]
                own = ["" if value.partition(":")[0] == rest and not worker.marks_each else value for value in own]
                fields |= {"rest": rest} if "" in own else {}
            fields |= {f"face.k{place}": value for place, value in zip(members, own, strict=True) if value}
        return fields, sum(name.startswith("face.") for name in fields)

    def dice(self, worker: Profile, face: FaceId, good: str) -> random.Random:
        own = random.Random(f"{self.seed}:{worker.name}:{face}:{good}")
        alike = worker.alike and own.random() < worker.alike
        return random.Random(f"{self.seed}:{face}:{good}") if alike else own


def main() -> None:
    """Parse the command line and replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--grow", type=int, metavar="N", help="tracks of N faces in all, for each set")
    parser.add_argument("--together", action="store_true", help="all sets as one, once for each set's person")
    parser.add_argument("--crowd", choices=CROWDS, default="demo", help=CROWD)
    parser.add_argument("--in-order", action="store_true", help=IN_ORDER)
    parser.add_argument("--seeds", default="1-5", metavar="FROM-TO")
    parser.add_argument("--set", action="append", metavar="NAME", help="only this set (again for more)")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    found = {}
    for labelled in together(options.folder) if options.together else read_sets(options.folder):
        if options.set and labelled.name not in options.set:
            continue
        labelled = grown(labelled, options.grow) if options.grow else labelled
        app = App(Workspace.open(prepared(labelled, 1)))
        sight = seen(app, Side.B)
        assert sight is not None
        by_name = {face_name(face): true_face(face) for face in labelled.faces}
        faces = app.store.faces(Side.B)
        known = {face.face_id: by_name[face.name] for face in faces}
        crowd, seeds = CROWDS[options.crowd], range(int(first), int(last or first) + 1)
        found[labelled.name] = [figures(Replay(faces, sight, known, crowd, seed, options.in_order)) for seed in seeds]
        print(labelled.name, *map(json.dumps, found[labelled.name]), sep="\n  ", flush=True)
    print(json.dumps({"bench": "people_replay", "sets": found}))


def figures(replay: Replay) -> dict[str, Any]:
    """What it cost and what went wrong."""
    lesson, decisions = replay.run()
    counts: Counter[tuple[Status, bool]] = Counter(
        (item.status, replay.known[item.face_id].usable == "keep") for item in decisions if item.question is None
    )
    votes, count = len({(vote.face_id, vote.assignment_id) for vote in replay.votes}), len(replay.faces)
    return {
        "votes_per_face": round(votes / count, 4),
        "actions_per_face": round(replay.actions / count, 4),
        "rounds": replay.rounds,
        "false_rejects": counts[Status.REJECTED, True],
        "false_keeps": counts[Status.APPROVED, False],
        "open": sum(counts[status, good] for status in (Status.UNDECIDED, Status.DISPUTED) for good in (True, False)),
        "bound": round(lesson.proof().bound, 4),
        "curve": [at.as_json() for at in replay.curve],
    }


def _taught(_side: Side, _question: Question, features: Features, answers: Answers) -> Taught:
    return teach(features, answers)


if __name__ == "__main__":
    main()
