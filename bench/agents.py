"""Six kinds of scripted workers among honest ones: when each is noticed, what it was paid by then, who else is.

    python -m bench.agents [--seeds 5] [--quick]

Forty honest workers of varied skill and speed and twelve scripted ones clean a set of made faces: a small first round,
then all others, three votes each. Pages are laid out, known faces chosen, answers read and every worker judged by the
product's own functions (`lay_out`, `known_labels`, `in_turn`, `read_votes`, `as_known`, `group_of`, `signs`, `lines`);
only sending, money and the store are left out (`bench.fair` goes through the real marketplace). Who is advised to be
stopped gets no more pages, as after `galloway worker stop`; who is to be looked at goes on. *Noticed* is a line that
says anything but "pay"; *paid before* is what the worker was paid until then, of the round's whole price. An honest
worker counts as flagged who was ever noticed, at any look.

The same crowd without the scripted ones says what the checks cost. Constants were chosen on seeds 1 to 10 and 101, 102;
reported are 11 to 15. A perfect answerer who draws its times as people do is run beside the twelve and counted apart:
by answers and times it cannot be told from a careful person, and it does no harm. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from math import ceil, exp
from statistics import mean
from typing import Any

from galloway.curation.decide import counted_votes
from galloway.curation.report.advice import Next
from galloway.curation.truth import VotesTable, aggregate
from galloway.curation.types import AssignmentId, Face, FaceId, PageKind, Question, Side, Vote, VoterKind, WorkerId
from galloway.pipeline.asking.ballots import Voter, read_votes
from galloway.pipeline.asking.layout import BatchPlan, Layout, lay_out
from galloway.pipeline.asking.needs import Need
from galloway.pipeline.checking.crew import WorkerLine, ballot_of, blind_of, group_of, lines
from galloway.pipeline.checking.gold import as_known, in_turn, known_labels
from galloway.pipeline.checking.signs import signs
from galloway.pipeline.workspace.records import FrozenBatch, FrozenTile
from galloway.pipeline.workspace.settings import AskSettings, GoldSettings

QUESTION, SIDE = Question.USABLE, Side.B
HONEST, OF_A_KIND, LOOKS, EVERY = 40, 2, 26, 30.0
"""Looks of the requester: so many by answers, and one at least in so many seconds, as `collect --wait` looks."""
ASK = AskSettings(votes=3)
BAD = 0.3
"""This share of the faces is to be rejected; one in ten is hard, and people err alike on it."""
HARD = 0.1
Time = Callable[[random.Random, int], float]
Says = Callable[[random.Random, "Sheet"], list[bool]]


@dataclass(frozen=True)
class Sheet:
    """What a worker sees: the faces of a page, what is right, which are hard, what was said of each so far."""

    key: str
    faces: Sequence[FaceId]
    right: Sequence[bool]
    hard: Sequence[bool]
    so_far: Sequence[tuple[int, int]]


@dataclass
class Kind:
    """A worker: says whether each face is kept, and in how many seconds the page is done."""

    name: str
    kind: str
    says: Says
    time: Time
    follows: str = ""


# -- honest people --------------------------------------------------------------------------------------------------
def honest(number: int, dice: random.Random) -> Kind:
    """Misses and false alarms of one in fifty to one in five, one to six seconds a face, and a spread of their own."""
    misses = min(0.2, 0.05 * exp(dice.gauss(0, 0.6)))
    alarms = min(0.15, 0.03 * exp(dice.gauss(0, 0.6)))
    pace, spread = 2.0 * exp(dice.gauss(0, 0.4)), dice.uniform(0.2, 0.45)

    def says(own: random.Random, sheet: Sheet) -> list[bool]:
        told = []
        for right, hard in zip(sheet.right, sheet.hard, strict=True):
            slip = 0.3 if hard else alarms if right else misses
            told.append(right != (own.random() < slip))
        return told

    return Kind(f"honest-{number:02d}", "honest", says, human(pace, spread))


def human(pace: float, spread: float) -> Time:
    """Seconds of a page as people take them: they spread, and one page in thirty has a break in it."""
    return lambda dice, faces: (
        faces * pace * exp(dice.gauss(0, spread)) + (dice.random() < 0.03) * dice.uniform(30, 300)
    )


# -- scripted ones --------------------------------------------------------------------------------------------------
def by_chance(keeps: float) -> Says:
    """Does not look; knows how many are kept as a rule."""
    return lambda dice, sheet: [dice.random() < keeps for _ in sheet.faces]


def wrong(share: float) -> Says:
    """Wrong on this share of the faces."""
    return lambda dice, sheet: [right != (dice.random() < share) for right in sheet.right]


def majority(dice: random.Random, sheet: Sheet) -> list[bool]:
    """What most said so far, however it got to know; what is usual where nobody has answered."""
    return [kept >= rejected for kept, rejected in sheet.so_far]


def recorded(dice: random.Random) -> Time:
    """Times recorded of a person, a dozen pages, played again from the start."""
    tape = [human(2.0, 0.3)(dice, 24) for _ in range(12)]
    place = iter(range(10**6))
    return lambda _dice, faces: tape[next(place) % len(tape)]


def even(seconds: float, share: float) -> Time:
    """A delay that a script draws between two bounds."""
    return lambda dice, faces: seconds * dice.uniform(1 - share, 1 + share)


def scripted(dice: random.Random) -> list[Kind]:
    """Two of each kind."""
    made = []
    for number in range(OF_A_KIND):
        made += [
            Kind(f"instant-{number}", "instant", by_chance(0.7), even(2.0, 0.5)),
            Kind(f"even-{number}", "even delays", by_chance(0.7), even(45.0, 0.03)),
            Kind(f"replay-{number}", "replayed times, wrong answers", wrong(0.5), recorded(dice)),
            Kind(f"copier-{number}", "majority copier", majority, human(1.8, 0.3)),
            Kind(f"perfect-{number}", "perfect bot", wrong(0.0), even(48.0, 0.1)),
        ]
    made.append(Kind("pair-0", "colluding pair", wrong(0.35), human(1.6, 0.3)))
    made.append(Kind("pair-1", "colluding pair", wrong(0.35), human(1.6, 0.3), follows="pair-0"))
    return made


def beyond() -> Kind:
    """Perfect answers in a person's times: nothing to notice."""
    return Kind("beyond-0", "perfect bot, human times", wrong(0.0), human(2.0, 0.3))


# -- the work -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Handed:
    """A page as `signs` looks at it."""

    worker_id: str
    page: str
    kind: PageKind
    faces: int
    milliseconds: int | None
    seconds: float
    submitted_at: datetime
    said: tuple[tuple[str, str], ...]


@dataclass
class Open:
    """A page, who has answered it, and what."""

    key: str
    batch: FrozenBatch
    tiles: dict[str, FrozenTile]
    taken: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    given: dict[str, list[bool]] = field(default_factory=dict)

    def __lt__(self, other: Open) -> bool:
        return self.key < other.key


class Run:
    """One crowd on one set."""

    def __init__(self, seed: int, faces: int, share: float, crowd: Sequence[Kind]) -> None:
        self.dice = random.Random(f"work {seed}")
        self.share, self.crowd = share, {kind.name: kind for kind in crowd}
        self.faces = [_face(number) for number in range(faces)]
        truth = random.Random(f"faces {seed}")
        self.right = {face.face_id: truth.random() >= BAD for face in self.faces}
        self.hard = {face.face_id: truth.random() < HARD for face in self.faces}
        self.votes: list[Vote] = []
        self.told: list[Vote] = []
        self.pages: list[Handed] = []
        self.tally: dict[FaceId, list[int]] = defaultdict(lambda: [0, 0])
        self.handed: dict[str, int] = defaultdict(int)
        self.price = self.known_tiles = self.tiles = 0
        self.noticed: dict[str, tuple[int, str]] = {}
        self.stopped: set[str] = set()
        self.reasons: dict[str, str] = {}
        self.now = self.looked = 0.0

    def go(self) -> Run:
        """A first round of two pages, then all others."""
        first = 2 * ASK.faces_per_hit
        self.round(self.faces[:first], {}, looks=0)
        known = known_labels(self.faces, counted_votes(self.votes), "agreed")
        self.round(self.faces[first:], in_turn(self.faces, known), looks=LOOKS)
        self.look()
        return self

    def round(self, faces: Sequence[Face], gold: dict[tuple[Side, Question], tuple[FaceId, ...]], looks: int) -> None:
        """Publish, and let the crowd answer every page three times."""
        asked = dict.fromkeys(Side, (QUESTION,))
        layout = Layout(ASK, asked, frozenset({SIDE}), gold=gold, gold_share=self.share)
        need = Need(SIDE, QUESTION, 1 + bool(looks), ASK.votes, frozenset(), tuple(faces))
        open_ = [page for plan in lay_out(need, layout) for page in _opened(plan)]
        self.price += len(open_) * ASK.votes
        self.tiles += sum(len(page.tiles) for page in open_)
        self.known_tiles += sum(tile.gold for page in open_ for tile in page.tiles.values())
        every = max(1, len(open_) * ASK.votes // looks) if looks else 10**9
        # (when, what is handed in then or nothing, who)
        queue: list[tuple[float, str, Open | None]] = [
            (self.now + self.dice.uniform(0, 600), name, None) for name in self.crowd if not self.led(name)
        ]
        heapify(queue)
        answered = 0
        while queue:
            self.now, name, page = heappop(queue)
            if page is not None:
                self.hand_in(self.crowd[name], page)
                answered += 1
                if answered % every == 0 or (looks and self.now - self.looked >= EVERY):
                    self.look()
                if self.led(name):
                    continue
            found = None if name in self.stopped else self.choose(name, open_)
            if found is None:
                continue
            for who in (name, *self.with_them(name)):
                found.taken.append(who)
                found.seconds[who] = self.crowd[who].time(self.dice, len(found.tiles))
                heappush(queue, (self.now + found.seconds[who] + self.dice.uniform(1, 5), who, found))
            if len(found.taken) == ASK.votes:
                open_.remove(found)

    def led(self, name: str) -> bool:
        """Whether the worker takes only what another one takes."""
        return bool(self.crowd[name].follows)

    def with_them(self, name: str) -> list[str]:
        """Who takes every page along with this worker."""
        return [kind.name for kind in self.crowd.values() if kind.follows == name and kind.name not in self.stopped]

    def choose(self, name: str, open_: Sequence[Open]) -> Open | None:
        """The oldest page that the worker has not taken, as the marketplace gives them, with room for who comes too."""
        room = ASK.votes - len(self.with_them(name))
        return next((page for page in open_ if name not in page.taken and len(page.taken) < room), None)

    def hand_in(self, worker: Kind, page: Open) -> None:
        """Say something of every face of the page."""
        faces = [tile.face_id for tile in page.tiles.values()]
        told = (page.given.get(other) for other in (worker.follows, *self.with_them(worker.name)))
        said = next(filter(None, told), None) or worker.says(self.dice, self.sheet(page, faces))
        page.given[worker.name] = said
        seconds = page.seconds[worker.name]
        values = ["keep" if keep else "reject:blurred" for keep in said]
        fields = {f"face.{key}": value for key, value in zip(page.tiles, values, strict=True)}
        when = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)
        voter = Voter(WorkerId(worker.name), AssignmentId(f"{page.key}:{worker.name}"), when, seconds)
        votes = [vote for vote in read_votes(page.batch, page.tiles, fields, voter) if vote.question is QUESTION]
        known = read_votes(page.batch, page.tiles, fields, voter, known=True)
        self.votes += votes
        self.told += [vote for vote in known if vote.question is QUESTION]
        for vote in votes:
            self.tally[vote.face_id][vote.label != "keep"] += 1
        self.handed[worker.name] += 1
        took, shown = round(1000 * seconds), tuple(zip(page.tiles, values, strict=True))
        self.pages.append(Handed(worker.name, page.key, page.batch.page, len(faces), took, seconds, when, shown))

    def sheet(self, page: Open, faces: Sequence[FaceId]) -> Sheet:
        """What is to be seen on the page, and what was said of it so far."""
        so_far = [(self.tally[face][0], self.tally[face][1]) for face in faces]
        return Sheet(page.key, faces, [self.right[f] for f in faces], [self.hard[f] for f in faces], so_far)

    def look(self) -> None:
        """What the requester's page says of everybody now."""
        self.looked = self.now
        for line in self.lines():
            if line.advice.next is not Next.PAY:
                if line.name not in self.noticed:
                    self.noticed[line.name] = self.handed[line.name], str(line.advice.next)
                    self.reasons[line.name] = line.advice.why
                if line.advice.next is Next.STOP:
                    self.stopped.add(line.name)

    def lines(self) -> list[WorkerLine]:
        """A line for each worker, as `crew` makes them."""
        votes = counted_votes(self.votes)
        known = as_known(self.told, known_labels(self.faces, votes, "agreed"), votes)
        ballots = [ballot_of(vote) for vote in [*votes, *known]]
        group = group_of(QUESTION, ballots, {one.worker_id: one.worker_id for one in ballots})
        groups = [] if group is None else [group]
        return lines(groups, signs(self.pages, blind_of(groups)))

    def paid(self, name: str) -> float:
        """The share of the whole price that the worker had been paid when noticed, or at the end."""
        return self.noticed.get(name, (self.handed[name], ""))[0] / self.price

    def errors(self) -> tuple[float, float]:
        """Wrong labels by inference on all votes, and wrong ones among the faces that were taken for known."""
        cast = [vote for vote in counted_votes(self.votes) if vote.kind is VoterKind.WORKER]
        labels = aggregate(VotesTable.from_votes(cast, QUESTION)).labels()
        known = known_labels(self.faces, cast, "agreed")
        bad = [(label == "keep") != self.right[face] for (face, _), label in known.items()]
        return mean((labels[face] == "keep") != right for face, right in self.right.items()), mean(bad)


def _face(number: int) -> Face:
    face_id = FaceId(f"{number:08x}" + f"{random.Random(number).getrandbits(96):024x}")
    return Face(face_id, SIDE, f"f{number}.png", "made", f"made_{number:06d}.png", 0, number, (0, 0, 64, 64))


def _opened(plan: BatchPlan) -> list[Open]:
    """The pages of a plan, frozen as the product freezes them."""
    need, until = plan.need, datetime(2027, 1, 1, tzinfo=UTC)
    key = f"r{need.round}"
    batch = FrozenBatch(
        key, "bench", need.side, need.question, plan.page, need.round, need.votes, False, plan.reward, plan.seconds, (),
        until, until,
    )  # fmt: skip
    return [
        Open(
            f"{key}-{number}",
            batch,
            {f"t{place}": FrozenTile(face, face in page.gold) for place, face in enumerate(page.faces)},
        )
        for number, page in enumerate(plan.pages)
    ]


# -- figures --------------------------------------------------------------------------------------------------------
def measure(seed: int, faces: int, share: float) -> dict[str, Any]:
    """One seed: noticed by kind, honest people flagged, and the same crowd without the scripted ones."""
    dice = random.Random(f"crowd {seed}")
    people = [honest(number, dice) for number in range(HONEST)]
    bots = scripted(dice)
    run = Run(seed, faces, share, [*people, *bots, beyond()]).go()
    alone = Run(seed, faces, share, people).go()
    bare = sum(ceil(part / ASK.faces_per_hit) for part in (2 * ASK.faces_per_hit, faces - 2 * ASK.faces_per_hit))
    kinds: dict[str, list[bool]] = defaultdict(list)
    for bot in bots:
        kinds[bot.kind].append(bot.name in run.noticed and run.paid(bot.name) <= 0.01)
    flagged = [name for name in run.noticed if name.startswith("honest")]
    error, gold_error = run.errors()
    return {
        "seed": seed,
        "noticed": mean(found for all_ in kinds.values() for found in all_),
        "kinds": {kind: mean(found) for kind, found in kinds.items()},
        "paid_worst": max(run.paid(bot.name) for bot in bots),
        "paid_all": sum(run.paid(bot.name) for bot in bots),
        "beyond": "beyond-0" in run.noticed,
        "flagged": len(flagged) / HONEST,
        "flagged_alone": sum(name.startswith("honest") for name in alone.noticed) / HONEST,
        "stopped": sorted(name for name in run.stopped | alone.stopped if name.startswith("honest")),
        "why": {name: run.reasons[name] for name in flagged}
        | {f"{n} (alone)": alone.reasons[n] for n in alone.noticed},
        "late": {
            b.name: [round(run.paid(b.name), 4), run.reasons.get(b.name, "-")] for b in bots if run.paid(b.name) > 0.01
        },
        "pages_more": alone.price / (bare * ASK.votes) - 1,
        "known_share": alone.known_tiles / alone.tiles,
        "known_wrong": gold_error,
        "wrong": error,
        "wrong_alone": alone.errors()[0],
        "pages": run.price,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=11, help="the first seed")
    parser.add_argument("--faces", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=GoldSettings().share, help="of known faces on a page")
    parser.add_argument("--quick", action="store_true", help="one seed, 3,000 faces")
    parser.add_argument("--verbose", action="store_true", help="say why, too")
    wish = parser.parse_args()
    seeds, faces = (1, 3000) if wish.quick else (wish.seeds, wish.faces)
    rows = []
    for seed in range(wish.first, wish.first + seeds):
        row = measure(seed, faces, wish.share)
        rows.append(row)
        kinds = ", ".join(f"{kind} {found:.0%}" for kind, found in row["kinds"].items())
        print(
            f"seed {seed}, {faces} faces, {row['pages']} pages: noticed in time {row['noticed']:.0%} ({kinds}); "
            f"paid before at most {row['paid_worst']:.2%}; honest flagged {row['flagged']:.1%}, without bots "
            f"{row['flagged_alone']:.1%}; stopped {row['stopped'] or 'nobody'}; wrong labels {row['wrong']:.2%}, "
            f"without bots {row['wrong_alone']:.2%}",
            flush=True,
        )
        if wish.verbose:
            print(json.dumps({"late": row["late"], "why": row["why"]}, indent=1))
    print(json.dumps(summary(rows, faces, wish.share)))


def summary(rows: Sequence[dict[str, Any]], faces: int, share: float) -> dict[str, Any]:
    """Mean and worst over the seeds."""
    worst = min(rows, key=lambda row: (row["noticed"], -row["flagged"]))
    kinds = rows[0]["kinds"]
    return {
        "bench": "agents",
        "seeds": len(rows),
        "faces": faces,
        "share": share,
        "noticed_in_time": round(mean(row["noticed"] for row in rows), 4),
        "noticed_worst": worst["noticed"],
        "worst_seed": worst["seed"],
        "by_kind": {kind: round(mean(row["kinds"][kind] for row in rows), 3) for kind in kinds},
        "perfect_at_human_times_noticed": sum(row["beyond"] for row in rows),
        "paid_before_worst": round(max(row["paid_worst"] for row in rows), 4),
        "honest_flagged": round(mean(row["flagged"] for row in rows), 4),
        "honest_flagged_worst": max(row["flagged"] for row in rows),
        "honest_flagged_without": round(mean(row["flagged_alone"] for row in rows), 4),
        "honest_stop": sum(len(row["stopped"]) for row in rows),
        "more_pages_for_known": round(mean(row["pages_more"] for row in rows), 4),
        "known_share": round(mean(row["known_share"] for row in rows), 4),
        "known_wrong": round(max(row["known_wrong"] for row in rows), 5),
        "wrong_labels": round(mean(row["wrong"] for row in rows), 4),
        "wrong_labels_without": round(mean(row["wrong_alone"] for row in rows), 4),
        "rejected": 0,
    }


if __name__ == "__main__":
    main()
