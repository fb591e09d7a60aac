"""What people's word on a film amounts to: its moments and frames, the audit of what nobody looked at, the report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...curation.learn.bound import upper_bound
from ...curation.report import QuestionData, Report, build_tables, no_thumbnails
from ...curation.truth import code_gold
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..errors import NothingToDo
from ..market.pictures import hosting_secret
from ..stages.measure import noted_ranges
from ..workspace.judged import moments_of, swap_votes
from .film import JudgedFilm
from .judge import Judged, joined, judge, left_ranges, majority_mask, truth_of, verdict_counts
from .moments import sampled
from .pages import mask_of
from .rounds import SAMPLE
from .verdicts import CANNOT_TELL, MARKED

__all__ = ["CoverMask", "FilmJudged", "cover_masks", "film_judged", "film_report", "kept_ranges", "told_of"]


@dataclass(frozen=True, slots=True)
class FilmJudged:
    """A film's judgement. `audited` calm moments were drawn at random and asked, `missed` of them do not hold and
    `unsettled` may not: they count as missed until others have settled them. At most `unseen` of all calm moments do
    not hold, at 95 %. `simulated` counts votes of simulated workers."""

    film: JudgedFilm
    judged: tuple[Judged, ...]
    votes: int
    voters: int
    simulated: int
    audited: int
    missed: int
    unsettled: int

    @property
    def unseen(self) -> float:
        return upper_bound(self.missed + self.unsettled, self.audited)

    @property
    def frames(self) -> dict[str, int]:
        return verdict_counts(self.judged)


def film_judged(app: App, film: JudgedFilm) -> FilmJudged:
    """What the votes so far make of the film. Raises NothingToDo where nobody was asked about it."""
    moments = moments_of(app.workspace, film.id)
    if not moments:
        raise NothingToDo(f"Nobody was asked about {film.name} yet. First: galloway review-swap publish (or: alone)")
    votes = swap_votes(app.workspace, film.id)
    judged = judge(moments, votes, app.settings.ask.method)
    drawn = {moment.number for moment in sampled(moments, film.id, SAMPLE)}
    audit = [item.status for item in judged if item.moment.number in drawn and item.status != "unasked"]
    return FilmJudged(
        film,
        tuple(judged),
        len(votes),
        len({vote.worker_id for vote in votes}),
        sum(vote.simulated for vote in votes),
        len(audit),
        audit.count("broken"),
        audit.count("disputed"),
    )


def kept_ranges(app: App, film: JudgedFilm) -> list[tuple[int, int]]:
    """The frames that keep their own pixels in the next conversion: what this film's review found, and what of it was
    left already: by the review of an earlier one, or given back since."""
    before = [(span.first, span.last) for span in noted_ranges(film.record.get("where") or {}, "left")]
    moments = moments_of(app.workspace, film.id)
    if not moments and not before:
        film_judged(app, film)  # says what is missing
    found = left_ranges(judge(moments, swap_votes(app.workspace, film.id), app.settings.ask.method)) if moments else []
    return joined([*before, *found])


def told_of(found: FilmJudged) -> dict[str, Any]:
    """The judgement as plain values; frames are counted from 1."""
    return {
        "film": found.film.name,
        "source": found.film.source.name,
        "frames": found.frames,
        "votes": found.votes,
        "voters": found.voters,
        "simulated_votes": found.simulated,
        "audit": {
            "asked": found.audited,
            "broken": found.missed,
            "unsettled": found.unsettled,
            "at_most": round(found.unseen, 4),
        },
        "left_out": [list(item) for item in left_ranges(found.judged)],
        "moments": [
            {
                "first": item.moment.first,
                "last": item.moment.last,
                "measure": item.moment.why,
                "status": item.status,
                "fault": item.fault,
                "chance": None if np.isnan(item.chance) else round(item.chance, 3),
                "votes": item.votes,
                "by_person": item.by_person,
            }
            for item in found.judged
        ],
    }


def film_report(app: App, film: JudgedFilm) -> Report:
    """The agreement report on whether moments hold, as for faces: who agrees, who stands out, what is worth a vote.

    Raises NothingToDo without workers' votes.
    """
    secret = hosting_secret(app.workspace.root)
    votes = [vote for vote in swap_votes(app.workspace, film.id) if vote.kind == "worker"]
    opinions = [vote for vote in votes if vote.label not in (CANNOT_TELL, MARKED)]
    if not opinions:
        raise NothingToDo(f"No worker's answer about {film.name} was collected yet: galloway review-swap collect")
    truth = truth_of(
        [replace(vote, worker_id=pseudonym(vote.worker_id, secret)) for vote in opinions], app.settings.ask.method
    )
    whole = len(truth.votes) == len(opinions)  # else somebody answered twice, and the columns would not fit
    data = QuestionData.from_truth(
        "holds",
        truth,
        code_gold(truth.votes, {}),
        seconds=np.array([np.nan if v.seconds is None else v.seconds for v in opinions]) if whole else None,
        submitted=np.array([vote.submitted_at.timestamp() for vote in opinions]) if whole else None,
    )
    return build_tables(f"Review of {film.name}", [data], datetime.now(UTC), thumbnails=no_thumbnails)


@dataclass(frozen=True, slots=True)
class CoverMask:
    """What covers the face in a moment, by most of `marks` people's marks: bool (n, n) over the picture they saw."""

    first: int
    last: int
    marks: int
    mask: NDArray[np.bool_]


def cover_masks(app: App, film: JudgedFilm) -> list[CoverMask]:
    """The masks that were painted, one a moment, in the film's order. Where a person of the house painted, what the
    last one said counts alone."""
    moments = {moment.number: moment for moment in moments_of(app.workspace, film.id)}
    votes = [vote for vote in swap_votes(app.workspace, film.id) if vote.label == MARKED and vote.mask]
    own = {vote.moment: vote for vote in votes if vote.kind == "person"}
    painted: dict[int, list[NDArray[np.bool_]]] = {}
    for vote in votes:
        if own.get(vote.moment, vote) is vote:
            painted.setdefault(vote.moment, []).append(mask_of(vote.mask))
    return [
        CoverMask(moments[number].first, moments[number].last, len(found), majority_mask(found))
        for number, found in sorted(painted.items())
    ]
