"""Votes as columns say what the same votes say one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from galloway.curation.decide import all_as_asked, as_asked
from galloway.curation.types import LABELS, AssignmentId, FaceId, Question, Side, Vote, VoterKind, WorkerId
from galloway.curation.votes import Cast, Votes
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@st.composite
def cast(draw: st.DrawFn) -> Vote:
    question = draw(st.sampled_from(Question))
    label = draw(st.sampled_from(LABELS[question]))
    return Vote(
        FaceId(draw(st.sampled_from(("a" * 32, "b" * 32, "c" * 32)))),
        question,
        label,
        WorkerId(draw(st.sampled_from(("ann", "bob", "cem")))),
        AssignmentId(draw(st.sampled_from(("one", "two")))),
        draw(st.integers(1, 2)),
        NOON + timedelta(seconds=draw(st.integers(0, 2))),
        reason=draw(st.sampled_from((None, "blurred", "bad_crop"))) if label == "reject" else None,
        seconds=draw(st.sampled_from((None, 0.0, 1.5))),
        kind=draw(st.sampled_from(VoterKind)),
        simulated=draw(st.booleans()),
        note=draw(st.sampled_from((None, "seen"))),
        look=draw(st.sampled_from(("", "both:face", "cluster:3"))),
    )


votes_cast = st.lists(cast(), max_size=12)


@given(votes_cast, votes_cast)
def test_columns_give_back_what_was_put_in(some: list[Vote], more: list[Vote]) -> None:
    votes = Votes.of(some)
    assert votes == some and list(votes) == some and [votes[place] for place in range(len(votes))] == some
    assert votes[1:] == some[1:]
    assert votes.joined(more) == [*some, *more]
    assert (votes == more) == (some == more)


def counted_one_by_one(votes: Iterable[Vote]) -> list[Vote]:
    """The rule in other words: each worker's first vote on a face and question, each person's newest."""
    kept: dict[tuple[str, ...], Vote] = {}
    for vote in votes:
        key = (vote.face_id, vote.question, vote.worker_id, vote.kind)
        if key in kept and vote.kind is VoterKind.WORKER:
            continue
        kept.pop(key, None)
        kept[key] = vote
    return list(kept.values())


@given(votes_cast)
def test_the_same_votes_count(some: list[Vote]) -> None:
    assert Votes.of(some).counted() == counted_one_by_one(some)
    twice = Votes.of(some).joined(some)  # each name stands there twice now
    assert twice.counted() == counted_one_by_one([*some, *some])


@given(votes_cast)
def test_the_same_votes_are_found_by_face_and_question(some: list[Vote]) -> None:
    found: dict[tuple[FaceId, Question], list[Vote]] = defaultdict(list)
    for vote in some:
        found[vote.face_id, vote.question].append(vote)
    said = Cast(some)
    assert dict(said) == found and len(said) == len(found)
    assert not said.of(FaceId("d" * 32), Question.USABLE) and said.get((FaceId("d" * 32), Question.USABLE)) is None


@given(votes_cast, st.booleans())
def test_a_side_asks_the_same_of_all_at_once(some: list[Vote], on_a: bool) -> None:
    side = Side.A if on_a else Side.B
    assert all_as_asked(Votes.of(some), np.full(len(some), on_a)) == [as_asked(vote, side) for vote in some]


@given(votes_cast)
def test_values_are_found_and_changed_where_they_are(some: list[Vote]) -> None:
    votes = Votes.of(some)
    by_worker = votes.where(kind=VoterKind.WORKER)
    assert votes.at(by_worker) == [vote for vote in some if vote.kind is VoterKind.WORKER]
    assert votes.those("worker_id", kind=VoterKind.WORKER) == {vote.worker_id for vote in votes.at(by_worker)}
    said = [replace(vote, note="old") if vote.kind is VoterKind.WORKER else vote for vote in some]
    assert votes.saying(by_worker, note="old") == said
    assert votes.renamed("worker_id", str.upper) == [
        replace(vote, worker_id=WorkerId(vote.worker_id.upper())) for vote in some
    ]
    assert votes.columns["seconds"].measured(lambda one: one or 0.0).tolist() == [vote.seconds or 0.0 for vote in some]
