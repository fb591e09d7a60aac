"""Near-copies answered once: derived decisions, what is asked all the same, and how it is taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from galloway.curation.faceset.merging.merge import manifests
from galloway.curation.types import DecidedBy, FaceId, Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.copies import copies_of, followers
from galloway.pipeline.asking.decide import decide, face_decisions, infer
from galloway.pipeline.asking.screening import report_path, screen_side
from galloway.pipeline.stages.cards import make_card
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.web import create_web_app

from tests.support.screen import answer, workspace_with_faces
from tests.support.workspace import galloway


def settle(app: App, text: str) -> App:
    """The workspace with other settings under [ask]."""
    config = app.workspace.root / "galloway.toml"
    config.write_text(f'name = "trial"\n[ask]\nmethod = "majority"\n{text}\n', encoding="utf-8")
    return App(type(app.workspace).open(app.workspace.root))


def screened(app: App, leaders: Mapping[int, int]) -> list[FaceId]:
    """Screen side B and say which faces, by place, are copies of which; the face ids by place."""
    screen_side(app, Side.B, identity=False)
    path = report_path(app, Side.B)
    data = json.loads(path.read_text(encoding="utf-8"))
    faces = [face.face_id for face in app.store.faces(Side.B)]
    twin_of = {faces[copy]: faces[leader] for copy, leader in leaders.items()}
    for row in data["faces"]:
        row["twin_of"] = twin_of.get(row["face_id"])
    path.write_text(json.dumps(data), encoding="utf-8")
    return faces


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Eight faces of side B; copies are answered once and none of them is asked."""
    return settle(workspace_with_faces(tmp_path / "w", {Side.B: 8}), 'copies = "once"\ncopies_audit = 0')


def answer_some(app: App, keep: set[int], reject: set[int]) -> None:
    """Three workers on some faces only."""
    answer(app, Side.B, reject)
    with app.workspace.db.begin() as db:
        for place, face in enumerate(app.store.faces(Side.B)):
            if place not in keep | reject:
                db.exec_driver_sql("DELETE FROM vote WHERE face_id = ?", (face.face_id,))


def test_a_copy_has_its_leaders_decision_and_names_it(app: App) -> None:
    faces = screened(app, {1: 0, 2: 0, 4: 3, 6: 5})
    answer_some(app, keep={0, 7}, reject={3})
    found = face_decisions(infer(app).decisions)
    assert [found[face].status for face in faces] == [
        *[Status.APPROVED] * 3, *[Status.REJECTED] * 2, *[Status.UNDECIDED] * 2, Status.APPROVED,
    ]  # fmt: skip
    for copy, leader in ((1, 0), (2, 0), (4, 3)):
        item, lead = found[faces[copy]], found[faces[leader]]
        assert (item.decided_by, item.method, item.votes) == (DecidedBy.COPY, faces[leader], 0)
        assert (item.label, item.reason) == (lead.label, lead.reason)
        assert item.posterior is not None and lead.posterior is not None and item.posterior < lead.posterior
    assert found[faces[6]].decided_by is DecidedBy.CROWD, "its leader is open, so it is"


def test_an_answer_of_its_own_comes_first(app: App) -> None:
    faces = screened(app, {1: 0})
    answer_some(app, keep={0}, reject={1})
    found = face_decisions(infer(app).decisions)
    assert (found[faces[1]].status, found[faces[1]].decided_by) == (Status.REJECTED, DecidedBy.CROWD)


def test_each_asks_each_again_and_nothing_of_it_stays(app: App) -> None:
    faces = screened(app, {1: 0})
    answer_some(app, keep={0}, reject=set())
    assert face_decisions(infer(app).decisions)[faces[1]].status is Status.APPROVED
    each = settle(app, 'copies = "each"')
    assert face_decisions(infer(each).decisions)[faces[1]].status is Status.UNDECIDED
    assert copies_of(each, each.store.decisions(), each.store.faces()).line([]) == ""


def test_a_sample_is_asked_all_the_same_and_compared(app: App) -> None:
    app = settle(app, 'copies = "once"\ncopies_audit = 1')
    screened(app, {1: 0, 2: 0, 4: 3})
    answer_some(app, keep={0, 1, 3}, reject={2})
    known = infer(app)
    copies = copies_of(app, known.decisions, known.faces)
    assert (len(copies.leaders), len(copies.sample)) == (0, 3)
    assert copies.agreement(known.decisions) == (1, 2)
    assert "1 of 2 settled ones are what their leader is" in copies.line(known.decisions)


def test_a_copy_whose_leader_is_not_asked_is_asked(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galloway.pipeline.asking.screening._shown_right", lambda *_: True)
    faces = screened(app, {1: 0, 3: 2})
    path = report_path(app, Side.B)
    data = json.loads(path.read_text(encoding="utf-8"))
    row = {"reason": "another_person", "posterior": 0.995, "decided_by": "screen", "method": "screen"}
    data["proposed"] = [{"face_id": faces[0], **row}]
    path.write_text(json.dumps(data), encoding="utf-8")
    known = infer(app)
    assert dict(copies_of(app, known.decisions, known.faces).leaders) == {faces[3]: faces[2]}
    assert face_decisions(known.decisions)[faces[1]].status is Status.UNDECIDED


def test_a_merge_says_whose_answer_it_was_and_its_card_too(app: App) -> None:
    faces = screened(app, {1: 0, 3: 2})
    answer_some(app, keep={2, 4, 5, 6, 7}, reject={0})
    merge(app, Side.B)
    (manifest,) = manifests(app.faceset_paths(Side.B))
    told = {row["face_id"]: (row["decided_by"], row["copy_of"]) for row in manifest["removals"]}
    assert told == {faces[0]: ("crowd", None), faces[1]: ("copy", faces[0])}
    card = make_card(app, Side.B)
    assert card.decided_by == {"crowd": 1, "copy": 1}
    assert any("near-copy" in gap for gap in card.gaps())
    found = face_decisions(infer(app).decisions)
    assert found[faces[1]].decided_by is DecidedBy.COPY, "also once its leader has left the folder"
    assert screen_side(app, Side.B, identity=False).calibrated_with == 0


def test_a_person_is_told_how_many_copies_follow(app: App) -> None:
    faces = screened(app, {1: 0, 2: 0, 4: 3, 6: 5})
    answer_some(app, keep={2}, reject=set())
    decide(app)
    assert followers(app, {faces[0], faces[3], faces[7]}) == {faces[0]: 1, faces[3]: 1}, "an answered copy does not"
    said = {"by": "Ann", "note": "see the hand"}
    done = galloway(app, "decide", faces[3], "reject", "--reason", "covered", "--by", "Ann", "--note", "hand")
    assert done.returncode == 0, done.stderr
    assert f"{faces[3]}: rejected by Ann. 1 near-copy follows it." in done.stderr
    client = create_web_app(app.workspace).test_client()
    page = client.get("/faces?status=undecided").text
    assert page.count("1 near-copy follows") == 2
    open_one = client.get(f"/faces/{faces[0]}").text
    assert "1 near-copy follows the answer on this face" in open_one
    assert "Decided by" not in open_one
    client.post("/faces", data={f"answer.{faces[0]}": "keep", f"answer.{faces[7]}": "keep", **said})
    assert "2 approved, by Ann. 1 near-copy follows. The workers" in client.get("/faces").text
    assert "the face that it is a near-copy of" in client.get(f"/faces/{faces[1]}").text
    assert face_decisions(app.store.decisions())[faces[1]].decided_by is DecidedBy.COPY


def test_nothing_is_said_of_copies_where_each_is_asked(app: App) -> None:
    faces = screened(app, {1: 0})
    each = settle(app, 'copies = "each"')
    assert followers(each, set(faces)) == {}
    done = galloway(each, "decide", faces[0], "keep", "--by", "Ann", "--note", "sharp")
    assert "follow" not in done.stderr
