"""What goes is said first and goes when it was said; nothing goes that an unfinished faceset needs; verdicts stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from galloway.curation.types import Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, face_decisions
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.errors import StageError
from galloway.pipeline.privacy.clock import due, goes_now, mind, take_now
from galloway.pipeline.privacy.gone import clock_state, embeddings_gone, erased_faces
from galloway.pipeline.stages.merge import merge
from galloway.pipeline.web import create_web_app
from galloway.pipeline.workspace.records import add_source, sources
from galloway.pipeline.workspace.schema import source_table

from tests.support.workspace import built_app, galloway


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Both sides merged; two faces of side b were rejected, one by side a."""
    app = built_app(tmp_path / "w", faces=6)
    for side, count in ((Side.A, 1), (Side.B, 2)):
        for number, face in enumerate(app.store.faces(side)):
            reject = number < count
            overrule(
                app, face.face_id, "reject" if reject else "keep",
                reason="another_person" if reject else None, name="Ann", note="seen",
            )  # fmt: skip
        merge(app, side)
    yield app
    app.workspace.db.dispose()


def pictures(app: App) -> int:
    return len(list((app.workspace.root / "facesets").glob("*/rejected/*/*.png")))


def test_it_is_said_at_merge_and_goes_when_it_was_said(app: App) -> None:
    told = mind(app)
    assert len(told) == 2
    assert "2 pictures of rejected faces, side b, merge" in told[1]
    assert f"goes on {later(30):%d %b %Y}" in told[1]
    assert mind(app) == [], "told once"
    assert mind(app, later(29)) == []
    assert pictures(app) == 3
    done = mind(app, later(31))
    assert [("gone" in line) for line in done] == [True, True]
    assert pictures(app) == 0
    assert mind(app, later(32)) == []
    assert len(erased_faces(app)) == 3


def test_what_was_never_told_does_not_go_at_once(app: App) -> None:
    """A workspace from before there was a clock, opened a year later."""
    told = mind(app, later(365))
    assert all("goes on" in line for line in told)
    assert f"{later(372):%d %b %Y}" in told[0]
    assert pictures(app) == 3
    mind(app, later(373))
    assert pictures(app) == 0


def test_fewer_days_are_told_before_they_count_and_more_count_at_once(app: App) -> None:
    mind(app)
    config = app.workspace.root / "galloway.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}\n[privacy]\nrejected_days = 10\n", encoding="utf-8")
    fewer = App(type(app.workspace).open(app.workspace.root))
    told = mind(fewer, later(12))
    assert f"goes on {later(19):%d %b %Y}" in told[0]
    assert pictures(app) == 3
    config.write_text(f"{text}\n[privacy]\nrejected_days = 300\n", encoding="utf-8")
    more = App(type(app.workspace).open(app.workspace.root))
    mind(more, later(40))
    assert pictures(app) == 3
    assert {item.on.date() for item in due(more) if item.on} == {later(300).date()}


def test_nothing_goes_that_an_unfinished_faceset_needs(app: App) -> None:
    mind(app)
    face = app.store.faces(Side.B)[0]
    overrule(app, face.face_id, "reject", reason="another_person", name="Ann", note="seen again")
    waits = {item.key[0]: item.waits for item in due(app, later(60))}
    assert waits["b"] == "rejected faces of side b wait for a merge"
    mind(app, later(60))
    assert pictures(app) == 2, "side a is finished, side b is not"
    merge(app, Side.B)
    told = mind(app, later(61))
    assert all("goes on" in line for line in told), "what was needed again is told anew"
    assert pictures(app) == 3


def test_an_undone_merge_and_a_side_without_one_lose_nothing(app: App) -> None:
    mind(app)
    assert galloway(app, "merge", "undo", "--side", "b").returncode == 0
    mind(app, later(60))
    assert len(app.store.faces(Side.B)) == 6
    assert pictures(app) == 0


def test_the_undo_ends_the_approval_and_the_verdicts_stay(app: App) -> None:
    before = face_decisions(decide(app))
    assert [line for line in take_now(app, early=True) if "gone" in line]
    ended = galloway(app, "merge", "undo", "--side", "b")
    assert ended.returncode == 0, ended.stderr
    assert "is approved no more. Its rejected faces went, as [privacy] says" in ended.stderr
    assert app.standing_merge(Side.B) is None
    after = face_decisions(decide(app))
    assert after == before
    gone = erased_faces(app)
    assert {after[face].status for face in gone} == {Status.REJECTED}
    with pytest.raises(StageError, match=r"went on .*, as \[privacy\] says"):
        overrule(app, next(iter(gone)), "keep", name="Ann", note="no")
    for face in gone:
        page = create_web_app(app.workspace).test_client().get(f"/faces/{face}").text
        assert "Its picture went on" in page
    assert galloway(app, "merge", "--side", "b", "--open", "keep").returncode == 0, "it can be approved anew"


def test_a_side_of_two_people_lets_one_go_when_the_clock_has_run(app: App) -> None:
    for table_side, person in (("a", "Cy"), ("b", "Ann")):
        with app.workspace.db.begin() as db:
            db.execute(source_table.update().where(source_table.c.side == table_side).values(person=person))
    bo = app.workspace.path("sources", "b", "bo.mp4")
    bo.write_bytes(b"bo")
    add_source(
        app.workspace, Side.B, "bo", kind="video", path=bo, sha256="x", person="Bo", basis="own", note="", faces=0,
        engine="builder",
    )  # fmt: skip
    take_now(app, early=True)
    refused = galloway(app, "person", "erase", "Ann", "--yes")
    assert refused.returncode == 1 and "galloway merge undo --side b" in refused.stderr
    assert galloway(app, "merge", "undo", "--side", "b").returncode == 0
    erased = galloway(app, "person", "erase", "Ann", "--yes")
    assert erased.returncode == 0, erased.stderr
    assert [item.person for item in sources(app.workspace, Side.B)] == ["Bo"]
    assert not app.store.faces(Side.B, rejected=True)


def test_embeddings_go_when_both_sides_are_finished_and_what_they_decided_stands(app: App) -> None:
    cache = app.workspace.path("reports", "embeddings.sqlite")
    from galloway.pipeline.asking.screening import CACHE_NAME

    cache.with_name(CACHE_NAME).write_bytes(b"vectors")
    mind(app)
    mind(app, later(89))
    assert cache.with_name(CACHE_NAME).is_file()
    before = decide(app)
    done = mind(app, later(91))
    assert any(line.startswith("embeddings of faces") and "gone" in line for line in done)
    assert not cache.with_name(CACHE_NAME).exists()
    assert embeddings_gone(app)
    assert decide(app) == before


def test_killed_between_the_files_and_the_note_the_next_one_goes_on(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    mind(app)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("galloway.pipeline.privacy.clock.drop_gated", killed)
    with pytest.raises(KeyboardInterrupt):
        mind(app, later(31))
    monkeypatch.undo()
    sheet = app.workspace.path("reports", "screen-a.png")
    sheet.write_bytes(b"faces")
    assert not list((app.workspace.root / "facesets" / "a" / "rejected").glob("*")), "the files went before the kill"
    mind(app, later(31))
    assert (pictures(app), sheet.exists()) == (0, False)
    assert clock_state(app)["told"] == {}


def test_the_command_shows_asks_and_deletes(app: App) -> None:
    shown = json.loads(galloway(app, "privacy", "status", "--json").stdout)
    assert (shown["rejected_days"], len(shown["goes"])) == (30, 2)
    assert galloway(app, "privacy", "apply").returncode == 3
    assert galloway(app, "privacy", "apply", "--early", "--dry-run").returncode == 0
    assert galloway(app, "privacy", "apply", "--early").returncode == 4
    assert pictures(app) == 3
    assert galloway(app, "privacy", "apply", "--early", "--yes").returncode == 0
    assert pictures(app) == 0
    assert goes_now(app, early=True) == []
    assert "3 rejected faces without a picture" in galloway(app, "privacy", "status").stdout


def test_merge_says_it(app: App) -> None:
    face = app.store.faces(Side.B)[0]
    overrule(app, face.face_id, "reject", reason="another_person", name="Ann", note="seen")
    done = galloway(app, "merge")
    assert done.returncode == 0, done.stderr
    assert "pictures of rejected faces, side b" in done.stderr
    assert "[privacy] in galloway.toml" in done.stderr
