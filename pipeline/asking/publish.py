"""Publish: freeze a round's plan, say its price, send it once.

Order, so that a kill at any point loses and doubles nothing: plan rows (one transaction) → pictures → ledger rows →
HITs. A batch that was planned but not fully sent is sent first by the next run, from its frozen plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ...curation.listing import Wanted, count_faces
from ...curation.types import DecidedBy, Face, FaceId, Progress, Question, Side, VoterKind, no_progress
from ...mturk.requester.money import Quote, written
from ...mturk.requester.publish import BatchSpec, PublishResult, look_up, quote_batch
from ...mturk.requester.publish import publish as send
from ...mturk.requester.workers import create_qualification, grant_known
from ..app import App
from ..checking.gold import in_turn, known_labels
from ..checking.standing import requirements
from ..consent.gate import check_consent
from ..errors import NothingToDo, SafetyStop, StageError
from ..market.pictures import reference_files
from ..market.session import MarketSession, MarketTerms
from ..wording import counted, noun
from ..workspace.acts import note_act
from ..workspace.records import (
    asked_tiles,
    audited_pairs,
    frozen_batch,
    last_published,
    mark_sent,
    note_links,
    sources,
    tiles_of,
    unfinished_batches,
)
from .advice import vote_price
from .batches import freeze, links_end, number_batches, pages_of, planned_batch
from .choosing import advise_round
from .crowd import Crowd
from .decide import Inference, asked_questions, infer, record, standing_faces
from .doubts import who_first, who_needs
from .gate import (
    check_references,
    held_lines,
    lay_out_shown,
    opted_in,
)
from .gather import gather
from .groups import stand_together
from .layout import SEEN_BY_SEVERAL, BatchPlan, Layout
from .needs import Advice, Need, find_needs
from .pace import measured_pace
from .pages import faces_spec, frozen_spec, warned
from .persons import crowd_of
from .progress import budget_left, commitments, waiting_pairs
from .sample import in_sample
from .screening import twin_leaders
from .shown import show_pictures
from .sight import look_at
from .taught import both_at_once

__all__ = ["Round", "check_budget", "held_back", "needs_now", "page_layout", "plan_round", "publish_round"]


@dataclass(frozen=True, slots=True)
class Round:
    """What would be published: the batches with their specs, the price, and what needs a person instead.

    `known` is what it rests on; sending it makes that the run from which the round started. `crowds` say who is on the
    sides that are asked about, `held` what is kept from workers; `unlooked` pictures nobody looked at yet."""

    specs: tuple[BatchSpec, ...]
    plans: tuple[BatchPlan, ...]
    resumed: tuple[str, ...]
    price: Decimal
    quotes: tuple[Quote, ...]
    stuck: tuple[tuple[FaceId, Question], ...]
    advice: tuple[str, ...]
    known: Inference
    crowds: tuple[Crowd, ...] = ()
    held: tuple[str, ...] = ()
    unlooked: int = 0
    begun: int = 0
    """So many faces are on the pages of the batches that go on."""

    @property
    def faces(self) -> int:
        return self.begun + sum(len(plan.need.faces) for plan in self.plans)

    @property
    def digest(self) -> str:
        """The same for the same batches, pages and price: what was confirmed is what is sent."""
        parts = [f"{spec.batch_key} {len(spec.hits)} {quote.total}" for spec, quote in self.batches()]
        parts += [face_id for plan in self.plans for page in plan.pages for face_id in page.faces]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def lines(self, currency: str) -> list[str]:
        """The round for people: a line for each batch, what truth inference advises, what needs a person, the price."""
        told = []
        for spec, quote in self.batches():
            again = " (goes on with one that was begun)" if spec.batch_key in self.resumed else ""
            told.append(f"{spec.batch_key}{again}: {quote.text(currency)}")
        told += [line for crowd in self.crowds for line in crowd.lines()]
        told += [*self.held, *self.advice]
        if self.stuck:
            need = noun(len(self.stuck), "needs", "need")
            told.append(
                f"{counted(len(self.stuck), 'face')} {need} a person: galloway serve (disputes) or galloway decide"
            )
        return [*told, f"Total {written(self.price, currency)} for {counted(self.faces, 'face')}."]

    def batches(self) -> list[tuple[BatchSpec, Quote]]:
        """Each batch with its price."""
        return list(zip(self.specs, self.quotes, strict=True))


def plan_round(
    app: App,
    terms: MarketTerms,
    *,
    side: Side | None = None,
    question: Question | None = None,
    order: Mapping[FaceId, float] | None = None,
    look_most: int | None = None,
    keep: bool = True,
    progress: Progress = no_progress,
) -> Round:
    """What to publish now. Nothing is written but what faces look like, where nobody looked at them yet, and, with
    `keep`, whether workers may see them; with `look_most` no more pictures than that are looked at for it.

    Raises NothingToDo where every face is settled, asked, held back or stuck.
    """
    if not count_faces(app.workspace.db, Wanted(side=side, gone=False)):
        if any(item.faces is None for item in sources(app.workspace, side)) or not sources(app.workspace, side):
            raise StageError("There are no faces yet. Find them first: galloway extract")
        raise StageError("No face was found in the footage. Add other footage: galloway ingest")
    state_key = terms.market.state_key
    if app.settings.ask.learns:
        for one in Side:
            look_at(app, one, progress)
    known = infer(app)
    standing = standing_faces(app, known)
    faces = [face for face in standing if side is None or face.side is side]
    waiting = waiting_pairs(app, state_key)
    passed = {(face_id, asked) for _, _, face_id, asked in asked_tiles(app.workspace, state_key)} - set(waiting)
    first = who_first(app, known, waiting=waiting, passed=passed)
    fee = terms.market.fees.per_assignment(app.settings.ask.reward, app.settings.ask.votes)
    price, budget = vote_price(app.settings.ask, fee), budget_left(app, state_key)
    advice = advise_round(
        app,
        known,
        price=price,
        budget=budget,
        waiting=frozenset(waiting),
        audited=audited_pairs(app.workspace, state_key),
        later=first,
    )
    needs, stuck = needs_now(app, known, faces, waiting=waiting, first=first, advice=advice)
    needs = [need for need in needs if question is None or need.question is question]
    needs = gather(needs, known.votes.those("worker_id", kind=VoterKind.WORKER))
    layout = page_layout(app, known, order=order or {})
    for need in needs:
        _check_references(need, layout)
    shown = lay_out_shown(app, needs, layout, most=look_most, keep=keep, progress=progress)
    plans, held = list(shown.plans), held_lines(app, shown)
    resumed = unfinished_batches(app.workspace, terms.market.state_key)
    if not plans and not resumed:
        if shown.held or shown.kept_out:
            raise NothingToDo(" ".join(held))
        _nothing(app, terms, stuck, advice.lines)
    for one in {plan.need.side for plan in plans if plan.page.shows_person}:
        check_references(app, one, keep=keep)
    specs = [frozen_spec(app, terms, key) for key in resumed]
    fresh = number_batches(app, plans)
    specs += [_fresh_spec(app, terms, key, plan) for key, plan in zip(fresh, plans, strict=True)]
    quotes = tuple(quote_batch(spec, terms.market.fees) for spec in specs)
    price = sum((quote.total for quote in quotes), Decimal("0.00"))
    here = [one for one in Side if any(plan.need.side is one for plan in plans)]
    crowds = tuple(crowd for one in here if (crowd := crowd_of(app, one, standing)) is not None)
    stop, say, left = tuple(stuck), tuple(held), shown.unlooked
    on = _faces_on(app, resumed)
    return Round(tuple(specs), tuple(plans), resumed, price, quotes, stop, advice.lines, known, crowds, say, left, on)


def _faces_on(app: App, batch_keys: Sequence[str]) -> int:
    pages = [page for key in batch_keys for page in tiles_of(app.workspace, key).values()]
    return len({tile.face_id for page in pages for tile in page.values() if not tile.gold})


def needs_now(
    app: App,
    known: Inference,
    faces: Sequence[Face],
    *,
    waiting: Collection[tuple[FaceId, Question]],
    advice: Advice,
    first: Mapping[Side, Sequence[Face]] = MappingProxyType({}),
) -> tuple[list[Need], list[tuple[FaceId, Question]]]:
    """What is to be asked about these faces, and what needs a person.

    `waiting` are pairs that are not asked now, `first` the faces of which it is asked who it is (`who_first`).
    What screening may reject without a question (`galloway screen --propose`) is not asked; its audit sample is.
    """
    screened = {item.face_id for item in known.decisions if item.decided_by is DecidedBy.SCREEN}
    needs, stuck = find_needs(
        [face for face in faces if face.face_id not in screened],
        known.said,
        known.decisions,
        asked=_asked_now(app),
        waiting=waiting,
        settings=app.settings.ask,
        advice=advice,
    )
    return [*who_needs(first, {face.face_id for face in faces}), *needs], stuck


def page_layout(app: App, known: Inference, *, order: Mapping[FaceId, float]) -> Layout:
    """How this workspace puts faces on pages now."""
    standing = standing_faces(app, known)
    groups = _groups(app, standing)
    share = app.settings.ask.mixed_share
    gold, again = app.settings.gold, app.settings.gold.share > 0
    return Layout(
        settings=app.settings.ask,
        asked=asked_questions(app),
        photographed=frozenset(side for side in Side if reference_files(app.workspace, side)),
        groups=groups,
        mixed=frozenset(leader for leader in set(groups.values()) if in_sample(app, "mixed", leader, share)),
        order=order,
        gold=in_turn(standing, known_labels(standing, known.votes, gold.source)) if again else {},
        gold_share=gold.share,
        pace=measured_pace(app),
        seen_by=SEEN_BY_SEVERAL if app.settings.ask.learns else 1,
    )


def _groups(app: App, standing: Sequence[Face]) -> dict[FaceId, FaceId]:
    twins = {copy: leader for side in Side for copy, leader in twin_leaders(app, side).items()}
    return stand_together(standing, twins)


def _asked_now(app: App) -> dict[Side, Sequence[Question]]:
    """The questions of each side; where one look answers both, only the first."""
    asked = asked_questions(app)
    once = app.settings.ask.learns
    return {
        side: (Question.USABLE,) if once and both_at_once(app, side, questions) else questions
        for side, questions in asked.items()
    }


def _nothing(app: App, terms: MarketTerms, stuck: Sequence[tuple[FaceId, Question]], lines: Sequence[str] = ()) -> None:
    if waiting_pairs(app, terms.market.state_key):
        raise NothingToDo("Every face that needs an answer is on an open page. Next: galloway collect")
    if stuck:
        stand, need = noun(len(stuck), "is", "are"), noun(len(stuck), "needs", "need")
        raise NothingToDo(
            f"{counted(len(stuck), 'face')} {stand} still disputed after up to {app.settings.ask.max_votes} votes "
            f"and {need} a person: galloway serve (disputes), or galloway decide FACE …"
        )
    raise NothingToDo(" ".join(("Every face is decided.", *lines, "Next: galloway merge")))


def publish_round(
    app: App, session: MarketSession, planned: Round, progress: Progress = no_progress
) -> list[PublishResult]:
    """Freeze what is new, put its pictures where they will be looked at, then send every batch that is not fully sent.

    The budget is a wall for all batches. The caller holds the workspace's lock since before the round was planned.
    """
    check_consent(app, "clean")
    check_budget(app, session, planned)
    record(app, planned.known)
    fresh = planned.specs[len(planned.resumed) :]
    for spec, plan in zip(fresh, planned.plans, strict=True):
        freeze(app, session.market.state_key, spec.batch_key, plan)
    for key in planned.resumed:
        note_links(app.workspace, key, links_end(app))
    # Now, not when somebody decides on the first face and waits for it: the run that the round starts from is kept.
    app.store.change_decisions((), now=datetime.now(UTC), since=last_published(app.workspace))
    show_pictures(app, session, [spec.batch_key for spec in planned.specs], progress)
    pages = sum(len(spec.hits) for spec in planned.specs)
    note_act(app.workspace, "publish", f"{counted(planned.faces, 'face')} on {pages} pages", planned.price)
    results = []
    at_market = look_up(session.client, progress)
    for spec in planned.specs:
        batch = frozen_batch(app.workspace, spec.batch_key)
        only = [*held_back(app, session, batch.excluded, "faces"), *(opted_in(session) if warned(app, batch) else ())]
        spec = replace(spec, qualifications=[*requirements(app, session), *only])
        results.append(send(app.ledger, session.client, spec, progress, at_market=at_market))
        mark_sent(app.workspace, spec.batch_key)
    return results


def _fresh_spec(app: App, terms: MarketTerms, batch_key: str, plan: BatchPlan) -> BatchSpec:
    batch = planned_batch(app, terms.market.state_key, batch_key, plan)
    return faces_spec(app, terms, batch, pages_of(app, batch_key, plan))


def held_back(app: App, session: MarketSession, excluded: Sequence[str], what: str) -> Sequence[Mapping[str, Any]]:
    """The requirement that keeps these workers away from `what` they have judged already; none without any."""
    if not excluded:
        return ()
    text = json.dumps(excluded)
    name = f"galloway {app.settings.id} has judged {hashlib.sha256(text.encode()).hexdigest()[:12]}"
    held = create_qualification(
        session.client, name, f"Has judged these {what}, or errs on their like too often; others are asked now."
    )
    grant_known(session.client, held, excluded)
    return [
        {
            "QualificationTypeId": held,
            "Comparator": "DoesNotExist",
            "ActionsGuarded": "DiscoverPreviewAndAccept",
        }
    ]


def _check_references(need: Need, layout: Layout) -> None:
    side = need.side
    if need.question is Question.IDENTITY and side not in layout.photographed:
        raise StageError(
            f"Identity cannot be asked on side {side.value} without a photograph of the person. Add one: "
            f"galloway ingest --side {side.value} --reference PHOTO (a face in facesets/{side.value}/faces/ is fine), "
            f'or ask only questions = ["usable"] under [side_{side.value}] in galloway.toml.'
        )


def check_budget(app: App, terms: MarketTerms, planned: Round) -> None:
    """Raise SafetyStop where the round goes over the budget, or pays less than the floor on a paying market."""
    ask, currency = app.settings.ask, app.settings.market.currency
    spent = commitments(app, terms.market.state_key)
    new = sum(
        (quote.total for spec, quote in zip(planned.specs, planned.quotes, strict=True) if spec.batch_key not in spent),
        Decimal("0.00"),
    )
    before = sum(spent.values(), Decimal("0.00"))
    if ask.budget is not None and before + new > ask.budget:
        raise SafetyStop(
            f"This round costs {written(new, currency)}, {written(before, currency)} is spent or committed, and the "
            f"budget is {written(ask.budget, currency)}. Raise ask.budget in galloway.toml, or ask for less: --side, "
            "--question."
        )
    for quote in planned.quotes:
        if terms.market.paying and quote.hourly_wage is not None and quote.hourly_wage < ask.min_hourly_wage:
            raise SafetyStop(
                f"The pay amounts to {written(quote.hourly_wage, currency)} an hour, below the floor of "
                f"{written(ask.min_hourly_wage, currency)}. Raise ask.reward or lower ask.faces_per_hit in "
                "galloway.toml."
            )
