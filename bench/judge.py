"""Do people find where a swap was spoilt, and at what price? A trial conversion with faults put in where we know.

    python -m bench.judge [--quick] [--minutes 1] [--seed 1] [--a CLIP --b CLIP]
    python -m bench.judge --made 120 [--seed 1]

Side A's clip (the demo's footage, or yours) is converted by the embedded engine after so many minutes of training. Into
stretches drawn by the seed go a wrong face (A's own comes back), a slab in the cheek, a frozen mouth and a shake. The
film is measured, cut into moments and asked about as `galloway review-swap` does, with simulated judges who know the
spoilt stretches and err: each overlooks, imagines and misnames as its profile says, one answers at random. Compared by
frame, with precision, recall and votes a second of film: the measures alone, three votes on every two seconds by
majority (the peer: no screening, no truth inference), and the review.

`--made SECONDS` leaves footage and measures out: the measures' say is drawn, too (of ten spoilt stretches they see
nine, they suspect a twentieth of the film for nothing, their edges are two frames off), to see what longer films take.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.types import Side
from galloway.pipeline.engines.align import face_matrix, hull_mask, transform_points, warp
from galloway.pipeline.engines.encodings import chosen_encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.judging.judge import judge, left_ranges
from galloway.pipeline.judging.moments import FrameDoubt, cut, page_of
from galloway.pipeline.judging.rounds import wanted
from galloway.pipeline.judging.verdicts import CANNOT_TELL, FINE, VERDICTS, Page
from galloway.pipeline.measures.see import person_of
from galloway.pipeline.workspace.judged import Moment, SwapVote
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from bench.swap_sets import Set, measured, prepared, swapped

KINDS = {"wrong face": "person", "slab": "edge", "frozen mouth": "mouth", "shake": "flicker"}
"""What is put in, and what a judge who sees it says."""
FAULTS = tuple(name for name in VERDICTS if name not in (FINE, CANNOT_TELL))
SPOILT = 0.2
"""About this share of the film is spoilt."""
CRF = 10
VOTES, MOST = 3, 7
Picture = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Judge:
    """How a simulated judge errs: share of faults overlooked, of whole moments called spoilt, of faults misnamed."""

    name: str
    misses: float
    imagines: float
    misnames: float
    blind: bool = False


JUDGES = (
    Judge("careful", 0.03, 0.02, 0.05),
    Judge("average 1", 0.10, 0.05, 0.15),
    Judge("average 2", 0.12, 0.08, 0.2),
    Judge("average 3", 0.10, 0.10, 0.2),
    Judge("hasty", 0.35, 0.05, 0.4),
    Judge("strict", 0.05, 0.20, 0.2),
    Judge("average 4", 0.10, 0.05, 0.2),
    Judge("random", 0.0, 0.0, 0.0, blind=True),
)


def main() -> None:
    """Parse the command line, spoil, review, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the small demo, three seconds of training")
    parser.add_argument("--minutes", type=float, default=1.0, help="training time, by the clock")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--a", type=Path, help="side A's clip; with --b instead of the demo's footage")
    parser.add_argument("--b", type=Path)
    parser.add_argument("--made", type=int, metavar="SECONDS", help="no film: the measures' say is drawn")
    options = parser.parse_args()
    if options.made:
        rate = Fraction(25)
        chance = random.Random(options.seed)
        truth = spoilt_ranges(range(1, options.made * 25 + 1), rate, chance)
        report(made_doubts(options.made * 25, truth, chance), truth, rate, options.seed)
        return
    with tempfile.TemporaryDirectory() as temporary:
        chosen = prepared(Path(temporary), options.a, options.b, small=options.quick)
        trial = swapped(chosen, "embedded", 0.05 if options.quick else options.minutes)
        points = landmarks_of(chosen)
        rate = open_source(trial).rate
        truth = spoilt_ranges(sorted(points), rate, random.Random(options.seed))
        film = spoil(chosen, trial, points, truth)
        found, _ = measured(chosen, Side.A, film, person_of(chosen.folder / "b"))
    doubts = [
        FrameDoubt(int(frame), name, float(doubt))
        for frame, name, doubt in zip(found.frames, found.worst_of_frames(), found.doubt(), strict=True)
    ]
    report(doubts, truth, rate, options.seed)


def made_doubts(frames: int, truth: dict[tuple[int, int], str], chance: random.Random) -> list[FrameDoubt]:
    """What measures of that quality say of each frame."""
    seen = {"wrong face": "identity", "slab": "border edge", "frozen mouth": "lip sync error", "shake": "jitter"}
    said: dict[int, str] = {}
    while len(said) < 0.05 * frames:
        first = chance.randrange(1, frames)
        said |= dict.fromkeys(range(first, first + chance.randrange(6, 30)), chance.choice(list(seen.values())))
    for (first, last), kind in truth.items():
        if chance.random() < 0.9:
            edges = first + chance.randint(-2, 2), last + chance.randint(-2, 2)
            said |= dict.fromkeys(range(edges[0], edges[1] + 1), seen[kind])
    return [FrameDoubt(n, said.get(n, "colour"), 2.0 if n in said else 0.3) for n in range(1, frames + 1)]


def landmarks_of(chosen: Set) -> dict[int, Points]:
    """A's landmarks by frame number."""
    frames = read_alignments(chosen.alignments(Side.A)).frames
    return {
        int(name.rsplit(".", 1)[0][-6:]): np.asarray(frame.faces[0].landmarks, np.float64)
        for name, frame in frames.items()
        if frame.faces
    }


def spoilt_ranges(numbers: Sequence[int], rate: Fraction, chance: random.Random) -> dict[tuple[int, int], str]:
    """Stretches of 0.4 to 1.6 seconds, first..last and the fault, one kind after the other, that do not touch."""
    taken: set[int] = set()
    found: dict[tuple[int, int], str] = {}
    known = set(numbers)
    for _ in range(10_000):
        if len(taken) >= SPOILT * len(numbers) and len(found) >= len(KINDS):
            break
        size = max(4, round(rate * chance.uniform(0.4, 1.6)))
        first = chance.choice(list(numbers))
        frames = set(range(first, first + size))
        around = set(range(first - round(rate / 2), first + size + round(rate / 2)))
        if frames <= known and not around & taken:
            taken |= frames
            found[first, first + size - 1] = list(KINDS)[len(found) % len(KINDS)]
    return dict(sorted(found.items()))


def spoil(chosen: Set, trial: Path, points: dict[int, Points], truth: dict[tuple[int, int], str]) -> Path:
    """The trial film with the faults in it."""
    originals = open_source(chosen.clips[Side.A]).read()
    fault = {number: (kind, first) for (first, last), kind in truth.items() for number in range(first, last + 1)}
    mouths: dict[int, tuple[Picture, Points]] = {}

    def change(frame: Frame) -> Picture | None:
        before = next(originals).image
        if frame.number not in fault:
            return None
        kind, first = fault[frame.number]
        here = points[frame.number]
        if kind == "frozen mouth":
            mouths.setdefault(first, (frame.image, here))
            return frozen(frame.image, here, *mouths[first])
        if kind == "shake":
            return shaken(frame.image, here, frame.number)
        return put_in(frame.image, before, hull(frame, here)) if kind == "wrong face" else slab(frame.image, here)

    film = chosen.folder / "spoilt.mp4"
    rewrite(open_source(trial), film, change, metadata={}, encoding=chosen_encoding(None, CRF, None, film))
    return film


def hull(frame: Frame, points: Points) -> Picture:
    """The face's place, 255 inside."""
    return np.asarray(hull_mask(points, frame.size, extended=True) > 0, np.uint8) * np.uint8(255)


def put_in(picture: Picture, changed: Picture, region: Picture) -> Picture:
    """`changed` where `region` (0 to 255) is white, softly."""
    soft = np.asarray(Image.fromarray(region).filter(ImageFilter.GaussianBlur(3)), np.float32)[..., None] / 255
    height, width = soft.shape[:2]
    mixed = changed[:height, :width] * soft + picture[:height, :width] * (1 - soft) + 0.5
    whole = picture.copy()
    whole[:height, :width] = mixed.astype(np.uint8)
    return whole


def shaken(picture: Picture, points: Points, number: int) -> Picture:
    """The inner face jumps to and fro."""
    step = max(2, round(float(np.ptp(points[:, 0])) * 0.03))
    size = (picture.shape[1], picture.shape[0])
    inner = np.asarray(hull_mask(points[17:], size, extended=False) > 0, np.uint8) * np.uint8(255)
    return put_in(picture, np.roll(picture, step if number % 2 else -step, axis=1), inner)


def frozen(picture: Picture, points: Points, then: Picture, there: Points) -> Picture:
    """The mouth of the stretch's first frame in this one."""
    old, here = face_matrix(there, 200), face_matrix(points, 200)
    size = (picture.shape[1], picture.shape[0])
    inverse = np.linalg.inv(np.vstack([here, [0, 0, 1]]))[:2]
    back = warp(warp(then, old, 200), inverse, size)
    both = np.concatenate([points[48:68], transform_points(inverse, transform_points(old, there[48:68]))])
    wide = both.mean(axis=0) + (both - both.mean(axis=0)) * 1.3
    canvas = Image.new("L", size)
    ImageDraw.Draw(canvas).ellipse([*wide.min(axis=0), *wide.max(axis=0)], fill=255)
    return put_in(picture, back, np.asarray(canvas))


def slab(picture: Picture, points: Points) -> Picture:
    """Turquoise in one cheek, along the jaw."""
    canvas = Image.new("L", (picture.shape[1], picture.shape[0]))
    inner = points[1:7] + (points[33] - points[1:7]) * 0.3
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in [*points[1:7], *inner[::-1]]], fill=255)
    return put_in(picture, np.full_like(picture, (70, 160, 150)), np.asarray(canvas))


def report(doubts: Sequence[FrameDoubt], truth: dict[tuple[int, int], str], rate: Fraction, seed: int) -> None:
    """The table and the line of JSON."""
    spoilt = {number for first, last in truth for number in range(first, last + 1)}
    seconds = len(doubts) / float(rate)
    rows = {
        "measures alone": ({item.frame for item in doubts if item.doubt > 1}, 0),
        "3 votes everywhere": everywhere(doubts, truth, rate, seed),
        "review": review(doubts, truth, rate, seed),
    }
    print(f"{len(doubts)} swapped frames, {seconds:.1f} seconds, {len(spoilt)} spoilt in {len(truth)} stretches")
    figures: dict[str, Any] = {"frames": len(doubts), "spoilt": len(spoilt), "seed": seed}
    print(f"{'':20}{'precision':>10}{'recall':>8}{'votes a second':>16}")
    for name, (left, votes) in rows.items():
        right = len(left & spoilt)
        precision, recall = right / max(1, len(left)), right / max(1, len(spoilt))
        print(f"{name:20}{precision:10.3f}{recall:8.3f}{votes / seconds:16.2f}")
        figures[name] = {
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "votes_a_second": round(votes / seconds, 3),
        }
    for (first, last), kind in truth.items():
        caught = sum(number in rows["review"][0] for number in range(first, last + 1))
        print(f"  {kind:13}{first:6}-{last:<6}{caught:4} of {last - first + 1} found by the review")
    saved = figures["3 votes everywhere"]["votes_a_second"] / max(1e-9, figures["review"]["votes_a_second"])
    print(f"the review takes {1 / max(saved, 1e-9):.2f} of the votes of three everywhere")
    print(json.dumps(figures))


def review(
    doubts: Sequence[FrameDoubt], truth: dict[tuple[int, int], str], rate: Fraction, seed: int
) -> tuple[set[int], int]:
    """The frames that the review leaves out, and the votes it took; asked round by round, each judge once a moment."""
    moments = cut(doubts, rate)
    votes: list[SwapVote] = []
    while asked := [
        item
        for item in wanted(moments, judge(moments, votes), str(seed), votes=VOTES, most=MOST, marked={})
        if item.page is not Page.SCRIBBLE
    ]:
        new = [
            vote for item in asked for moment in item.moments for vote in cast(moment, item.votes, votes, truth, seed)
        ]
        if not new:
            break
        votes += new
    left = left_ranges(judge(moments, votes))
    return {number for first, last in left for number in range(first, last + 1)}, len(votes)


def everywhere(
    doubts: Sequence[FrameDoubt], truth: dict[tuple[int, int], str], rate: Fraction, seed: int
) -> tuple[set[int], int]:
    """Three votes on every two seconds, and their majority."""
    moments = cut([FrameDoubt(item.frame, "", 0.0) for item in doubts], rate)
    left: set[int] = set()
    total = 0
    for moment in moments:
        votes = cast(moment, VOTES, [], truth, seed)
        total += len(votes)
        if sum(vote.label != FINE for vote in votes) > VOTES / 2:
            left |= set(range(moment.first, moment.last + 1))
    return left, total


def cast(
    moment: Moment, count: int, before: Sequence[SwapVote], truth: dict[tuple[int, int], str], seed: int
) -> list[SwapVote]:
    """The votes of so many judges who have not seen the moment yet."""
    seen = {vote.worker_id for vote in before if vote.moment == moment.number}
    order = random.Random(f"{seed} {moment.number}").sample(JUDGES, len(JUDGES))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        SwapVote(
            f"{one.name}-{moment.number}", "t", "h", "film", moment.number, said(one, moment, truth, seed), "",
            one.name, at, None, "worker", True,
        )
        for one in [item for item in order if item.name not in seen][:count]
    ]  # fmt: skip


def said(one: Judge, moment: Moment, truth: dict[tuple[int, int], str], seed: int) -> str:
    """What a judge says of a moment. A fault that fills less than a quarter of it is overlooked twice as often; a still
    picture shows nothing of a fault that lies beside it."""
    chance = random.Random(f"{seed} {one.name} {moment.number} {moment.first}")
    if one.blind:
        return chance.choice([FINE, *FAULTS])
    shares = {
        kind: (min(last, moment.last) - max(first, moment.first) + 1) / moment.frames
        for (first, last), kind in truth.items()
        if first <= moment.last and last >= moment.first
    }
    if not shares:
        return FINE if chance.random() >= one.imagines else chance.choice(FAULTS)
    kind, share = max(shares.items(), key=lambda item: item[1])
    if page_of(moment) is Page.COMPARE and KINDS[kind] in ("mouth", "flicker"):
        return FINE  # the still shows another fault than this one
    misses = one.misses if share >= 0.25 else min(1.0, 2 * one.misses + 0.2)
    if chance.random() < misses:
        return FINE
    return KINDS[kind] if chance.random() >= one.misnames else chance.choice(FAULTS)


if __name__ == "__main__":
    main()
