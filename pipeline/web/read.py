"""What the pages show, as plain values read from the workspace. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...curation.listing import count_statuses
from ...curation.types import Question, Side
from ..app import App
from ..jobs.kept import all_jobs
from ..market.local import running_market
from ..stages.status import WorkStatus, next_command
from ..wording import noun

__all__ = ["Advice", "InShort", "Step", "advice", "flow", "in_short", "questions_of", "tallies", "upcoming"]


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the flow: `state` is done, active or waiting."""

    key: str
    name: str
    figure: str
    note: str
    state: str
    endpoint: str


def tallies(app: App) -> dict[str, dict[str, int]]:
    """Per side, how many of all faces that were found have which status; also those that a merge moved away."""
    found = count_statuses(app.workspace.db)
    return {side.value: {status.value: count for status, count in counts.items()} for side, counts in found.items()}


@dataclass(frozen=True, slots=True)
class InShort:
    """How far the faces of both sides are."""

    faces: int
    settled: int
    disputed: int
    undecided: int


def in_short(counts: dict[str, dict[str, int]]) -> InShort:
    """The tallies of both sides as four figures."""
    approved, rejected, disputed, undecided = (
        sum(side[name] for side in counts.values()) for name in ("approved", "rejected", "disputed", "undecided")
    )
    return InShort(approved + rejected + disputed + undecided, approved + rejected, disputed, undecided)


def flow(status: WorkStatus, counts: dict[str, dict[str, int]]) -> list[Step]:
    """The flow from footage to video, with its counts; `counts` are the tallies of both sides."""
    sides = status.sides.values()
    faces = sum(sum(side.values()) for side in counts.values())
    settled = sum(side["approved"] + side["rejected"] for side in counts.values())
    open_faces = sum(side["disputed"] + side["undecided"] for side in counts.values())
    merged = sum(side.merged is not None for side in sides)
    sources = sum(side.sources for side in sides)
    videos = len(status.videos)
    got, wanted = status.assignments_collected, status.assignments_wanted
    steps = [
        ("footage", "Footage", sources, noun(sources, "source"), sources > 0, "footage.page"),
        ("faces", "Faces", faces, "found", faces > 0, "faces.listing"),
        (
            "hits",
            "HITs",
            status.batches,
            noun(status.batches, "batch", "batches"),
            status.batches > 0,
            "pages.batches",
        ),
        ("answers", "Answers", got, f"of {wanted} assignments", 0 < wanted <= got, "pages.workers"),
        ("decisions", "Decisions", settled, f"{open_faces} open", faces > 0 and open_faces == 0, "faces.listing"),
        ("faceset", "Approved", merged, "of 2 facesets", merged == 2, "pages.facesets"),
        (
            "model",
            "Model",
            status.trained_iterations,
            "iterations",
            status.trained_iterations > 0,
            "training.listing",
        ),
        ("video", "Video", videos, noun(videos, "result"), videos > 0, "results.listing"),
    ]
    states = _states([(figure, done) for _, _, figure, _, done, _ in steps])
    return [
        Step(key, name, f"{figure:,}", note, state, endpoint)
        for (key, name, figure, note, _, endpoint), state in zip(steps, states, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Advice:
    """The next step: the command's name, what it does in words, where it is done, and what it costs in money and
    minutes."""

    key: str
    text: str
    endpoint: str
    cost: str


_STEPS = (
    Advice("ingest", "add footage.", "footage.page", "nothing but the time of copying"),
    Advice("extract", "find the faces in the footage.", "footage.page", "no money"),
    Advice(
        "publish",
        "ask people about the faces that need an answer.",
        "actions.plan",
        "what its page says before anything is sent; answering alone costs nothing",
    ),
    Advice("collect", "fetch what people answered.", "pages.overview", "what was announced when it was published"),
    Advice("merge", "apply the decisions to the facesets.", "actions.plan_sides", "no money; it can be taken back"),
    Advice("train", "train a model on the approved facesets.", "training.listing", "no money, and the minutes you say"),
    Advice("convert", "swap the face in the video.", "results.listing", "no money"),
    Advice(
        "serve",
        "look at the results.",
        "results.listing",
        "no money; what people are asked about the film has a price, said before",
    ),
)
_ADVICE = {step.key: step for step in _STEPS}
_CLOSED = Advice(
    "open",
    "open the worker site, without which nobody can answer; then fetch what people answered.",
    "actions.people",
    "what was announced when it was published",
)
_LASTING = {"extract": "extract", "convert": "convert", "train": "train"}
"""Steps that are jobs → the kind of job."""
_RECENT = 50


def advice(command: str) -> Advice:
    """What the next command does."""
    return _ADVICE[command.split()[1]]


def upcoming(app: App, command: str = "") -> Advice:
    """The next step of a workspace (`command`, where it is known), with the minutes that it took the last time where
    that is known; where it is at work already, that; where answers are awaited and the worker site is closed, that it
    is opened."""
    found = advice(command or next_command(app))
    if found.key == "collect" and app.settings.market.name == "local" and running_market(app.workspace) is None:
        return _CLOSED
    kind = _LASTING.get(found.key, "")
    at_work = next(
        (job for job in all_jobs(app.workspace)[:_RECENT] if kind and job.kind == kind and job.running), None
    )
    if at_work is not None:
        endpoint = "training.listing" if kind == "train" else "lasting.listing"
        return Advice(
            "wait", f"“{at_work.title}” is at work; see how far it is.", endpoint, "nothing; it goes on alone"
        )
    took = _took(app, _LASTING.get(found.key, ""))
    return replace(found, cost=f"{found.cost}; {took}") if took else found


def _took(app: App, kind: str) -> str:
    for job in all_jobs(app.workspace)[:_RECENT] if kind else ():
        if job.kind == kind and job.state == "done" and job.ended_at is not None:
            minutes = (job.ended_at - job.started_at).total_seconds() / 60
            return (
                f"the last time it took {minutes:.0f} minutes" if minutes >= 1.5 else "the last time it took a minute"
            )
    return ""


def _states(steps: Sequence[tuple[int, bool]]) -> list[str]:
    """Done, active (begun, or the first that is not done) and waiting."""
    states: list[str] = []
    for figure, done in steps:
        first = all(state == "done" for state in states)
        states.append("done" if done else "active" if figure or first else "waiting")
    return states


def questions_of(app: App, side: Side) -> tuple[Question, ...]:
    """What a side is asked."""
    return (app.settings.side_a if side is Side.A else app.settings.side_b).questions
