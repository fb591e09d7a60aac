"""Answers on a frozen page → votes: both questions, one look, seconds that add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.types import AssignmentId, FaceId, PageKind, Side, VoterKind, WorkerId
from galloway.pipeline.asking.ballots import Voter, read_votes
from galloway.pipeline.asking.pace import measured_pace
from galloway.pipeline.workspace.records import FrozenTile

from tests.support.workspace import NOON, built_app, frozen_batch

BATCH = frozen_batch(side=Side.A, page=PageKind.CLUSTER, votes=3)
TILES = {f"t{n}": FrozenTile(FaceId(f"{n:032x}"), False, 1 + n // 2) for n in range(4)}
ANN = Voter(WorkerId("A1"), AssignmentId("ASG1"), NOON, seconds=14.0)


def test_a_group_is_one_look_in_the_votes_and_its_seconds_are_shared() -> None:
    votes = read_votes(BATCH, TILES, {"group.1": "keep", "face.t3": "reject:not_a_face", "rest": "keep"}, ANN)
    looks = {(vote.face_id[-1], vote.question.value): vote.look for vote in votes}
    assert looks == {
        ("0", "usable"): "cluster:1",
        ("0", "identity"): "cluster:1",
        ("1", "usable"): "cluster:1",
        ("1", "identity"): "cluster:1",
        ("2", "usable"): "cluster:rest",
        ("2", "identity"): "cluster:rest",
        ("3", "usable"): "cluster:face",
    }
    assert sum(vote.seconds or 0 for vote in votes) == pytest.approx(14.0)
    assert {vote.assignment_id for vote in votes} == {"ASG1"}


def test_what_was_measured_is_read_back_by_kind_of_page(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=8)
    faces = [face.face_id for face in app.store.faces(Side.A)]
    tiles = {f"t{n}": FrozenTile(face_id, False, 1) for n, face_id in enumerate(faces)}
    for number in range(5):
        voter = Voter(WorkerId(f"A{number}"), AssignmentId(f"ASG{number}"), NOON, seconds=8.0)
        app.store.add_votes(read_votes(BATCH, tiles, {"group.1": "keep"}, voter))
    person = Voter(WorkerId("person:Ann"), AssignmentId("review-x"), NOON, 800.0, VoterKind.PERSON)
    app.store.add_votes(read_votes(replace(BATCH, page=PageKind.PAIR), tiles, {"face.t1": "same"}, person))
    assert measured_pace(app) == {PageKind.CLUSTER: 1.0}, "eight faces in eight seconds; a person alone is not paid"
    assert app.store.retract(AssignmentId("ASG1")) == 0, "workers' votes stay"
    assert app.store.retract(AssignmentId("review-x")) == 1
