"""Pictures are held back from workers until the requester says otherwise; with a warning they are blurred bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.curation.screen import explicit
from galloway.curation.types import FaceId, Side
from galloway.mturk.requester.hosting import LocalHosting
from galloway.pipeline.app import App
from galloway.pipeline.asking.gate import check_pictures
from galloway.pipeline.asking.pages import task_of
from galloway.pipeline.asking.publish import plan_round
from galloway.pipeline.errors import NothingToDo, SafetyStop
from galloway.pipeline.gate.look import look_at_faces, not_looking, rulings
from galloway.pipeline.gate.words import listed, picture_bytes, say_of
from galloway.pipeline.market.pictures import picture_id, reference_key, shown_references, worker_bytes
from galloway.pipeline.market.veil import blurred, stills
from galloway.pipeline.stages.doctor import examine
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.workspace.gated import Known, Ruling, Word, gated, keep_scores, looked_at, say_word
from galloway.pipeline.workspace.records import frozen_batch
from galloway.pipeline.workspace.schema import picture_table
from PIL import Image

from tests.support.workspace import built_app, galloway


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Six faces a side and a photograph, none of them held: the model's word does not depend on made noise."""
    app = built_app(tmp_path / "w", faces=6)
    keys = [face.face_id for side in Side for face in app.store.faces(side)]
    keys += [picture_id(app.workspace, reference_key(side, "person.jpg")) for side in Side]
    keep_scores(app.workspace, dict.fromkeys(map(str, keys), 0.01), dict.fromkeys(map(str, keys), Known("", "face")))
    yield app
    app.workspace.db.dispose()


def scored(app: App, face: FaceId, score: float) -> None:
    keep_scores(app.workspace, {face: score}, {face: Known("", "face")})


def on_pages(app: App) -> list[set[str]]:
    """The faces of each batch that would be sent for side a."""
    planned = plan_round(app, app.terms(), side=Side.A)
    return [{face for page in plan.pages for face in page.faces} for plan in planned.plans]


def test_a_likely_sexual_face_stands_on_no_page_and_the_round_says_so(app: App) -> None:
    first = app.store.faces(Side.A)[0].face_id
    scored(app, first, 0.93)
    (batch,) = on_pages(app)
    assert first not in batch
    assert len(batch) == 5
    told = " ".join(plan_round(app, app.terms(), side=Side.A).lines("$"))
    assert "1 picture is held back" in told
    assert "nothing of violence" in told
    assert "galloway gate list" in told


def test_a_face_is_held_from_the_higher_bar_and_a_picture_from_the_lower(app: App) -> None:
    keep_scores(app.workspace, {"m1": 0.6, "f1": 0.6}, {"m1": Known("cat.jpg", "picture"), "f1": Known("", "face")})
    now = rulings(app)
    assert (now.of("m1"), now.of("f1")) == (Ruling.HELD, Ruling.SHOW)


def test_show_brings_it_back_warn_puts_it_apart_keep_out_ends_it(app: App) -> None:
    first = app.store.faces(Side.A)[0].face_id
    scored(app, first, 0.93)
    say_of(app, [first], Word.SHOW)
    (batch,) = on_pages(app)
    assert first in batch
    say_of(app, [first], Word.WARN)
    clear, warned = on_pages(app)
    assert (warned, first in clear) == ({first}, False)
    say_of(app, [first], Word.KEEP_OUT)
    (batch,) = on_pages(app)
    assert first not in batch


def test_a_word_said_by_hand_holds_where_no_model_would(app: App) -> None:
    """Violence: open_nsfw sees nothing of it."""
    first = app.store.faces(Side.A)[0].face_id
    assert galloway(app, "gate", "say", "keep-out", first[:10]).returncode == 0
    (batch,) = on_pages(app)
    assert first not in batch


def test_all_held_is_no_end_of_the_work(app: App) -> None:
    for face in app.store.faces():
        scored(app, face.face_id, 0.99)
    with pytest.raises(NothingToDo, match="12 pictures are held back"):
        plan_round(app, app.terms())


def test_held_bytes_pass_the_door_neither_clear_nor_blurred(app: App) -> None:
    first = app.store.faces(Side.A)[0].face_id
    assert worker_bytes(app.workspace, app.store, first) is not None
    for word in (None, Word.KEEP_OUT):
        scored(app, first, 0.93)
        if word is not None:
            say_of(app, [first], word)
        assert [worker_bytes(app.workspace, app.store, way + first) for way in ("", "l", "w")] == [None] * 3


def test_what_has_a_warning_is_blurred_in_its_bytes(app: App) -> None:
    first = app.store.faces(Side.A)[0]
    say_of(app, [first.face_id], Word.WARN)
    veil = worker_bytes(app.workspace, app.store, f"w{first.face_id}")
    clear = worker_bytes(app.workspace, app.store, first.face_id)
    assert veil is not None
    assert clear is not None
    assert veil != clear
    detail = [sharpness(Image.open(io.BytesIO(body))) for body in (veil, clear)]
    assert detail[0] < detail[1] / 10
    task = one_task(app, first.face_id)
    tile = next(tile for tile in task.tiles if tile.clear)
    assert (tile.large, tile.url == tile.clear) == ("", False)
    hosting = LocalHosting(b"0" * 16, "/images")
    assert hosting.url("x", one_until(app)) != tile.url


def sharpness(picture: Image.Image) -> float:
    import numpy as np

    pixels = np.asarray(picture.convert("L").resize((64, 64)), np.float64)
    return float(np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean())


def one_task(app: App, face: FaceId):  # type: ignore[no-untyped-def]
    from galloway.pipeline.asking.batches import freeze, number_batches, pages_of

    terms = app.terms()
    plan = next(
        plan for plan in plan_round(app, terms, side=Side.A).plans if any(face in page.faces for page in plan.pages)
    )
    (key,) = number_batches(app, [plan])
    freeze(app, terms.market.state_key, key, plan)
    return task_of(
        app,
        terms.hosting,
        frozen_batch(app.workspace, key),
        next(iter(pages_of(app, key, plan).values())),
        rulings(app),
    )


def one_until(app: App):  # type: ignore[no-untyped-def]
    from galloway.pipeline.workspace.records import frozen_batches

    return frozen_batches(app.workspace)[0].links_until


def test_a_batch_that_shows_what_is_kept_out_since_is_sent_no_further(app: App) -> None:
    first = app.store.faces(Side.A)[0].face_id
    say_of(app, [first], Word.KEEP_OUT)
    with pytest.raises(SafetyStop, match="abc shows 1 picture held back or kept out"):
        check_pictures(rulings(app), "abc", [first])


def test_a_held_photograph_of_the_person_stops_the_round(app: App) -> None:
    text = (app.workspace.root / "galloway.toml").read_text(encoding="utf-8")
    whole = text.replace('questions = ["usable"]', 'questions = ["usable", "identity"]')
    (app.workspace.root / "galloway.toml").write_text(whole, encoding="utf-8")
    key = picture_id(app.workspace, reference_key(Side.A, "person.jpg"))
    keep_scores(app.workspace, {key: 0.7}, {key: Known("person.jpg", "picture")})
    with app.workspace.db.begin() as db:
        db.execute(picture_table.update().where(picture_table.c.id == key).values(kind="picture"))
    stopped = galloway(app, "publish", "--side", "a", "--dry-run")
    assert (stopped.returncode, "The photograph person.jpg of side a" in stopped.stderr) == (4, True)
    say_of(app, [str(app.workspace.references_dir(Side.A) / "person.jpg")], Word.KEEP_OUT)
    assert shown_references(app.workspace, Side.A) == []


def test_a_picture_is_looked_at_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("galloway.pipeline.gate.look.explicit_available", lambda: True)
    monkeypatch.setattr("galloway.pipeline.gate.look.explicit_score", lambda picture: seen.append(picture) or 0.1)
    with app.workspace.db.begin() as db:
        db.exec_driver_sql("delete from gate_picture")
    faces = [face.face_id for face in app.store.faces(Side.B)]
    look_at_faces(app, faces)
    look_at_faces(app, faces)
    assert (len(seen), len(looked_at(app.workspace))) == (6, 6)


def test_without_the_extra_it_is_said_in_one_sentence(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galloway.pipeline.gate.look.explicit_available", lambda: False)
    said = not_looking(app)
    assert said.count(". ") == 0
    assert "galloway[gate]" in said
    assert said in plan_round(app, app.terms()).lines("$")
    assert said in galloway(app, "status").stdout
    monkeypatch.setattr("galloway.pipeline.stages.doctor.explicit_available", lambda: False)
    assert "galloway[gate]" in next(check.detail for area, check in examine("/") if area == "gate")


def test_the_list_says_what_waits_and_a_word_ends_the_waiting(app: App) -> None:
    first, second = (face.face_id for face in app.store.faces(Side.A)[:2])
    scored(app, first, 0.93)
    scored(app, second, 0.85)
    (row, _) = json.loads(galloway(app, "gate", "list", "--json").stdout)
    assert (row["id"], row["ruling"], row["score"]) == (first, "held", 0.93)
    assert "2 pictures are held back from workers" in galloway(app, "status").stdout
    assert galloway(app, "gate", "say", "show", "--held").returncode == 0
    assert [item.ruling for item in listed(app)] == [Ruling.SHOW, Ruling.SHOW]
    assert galloway(app, "gate", "say", "show", "--held").returncode == 3


def test_a_folder_is_marked_before_any_page_shows_it(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "accidents"
    folder.mkdir()
    Image.new("RGB", (40, 40), "red").save(folder / "one.jpg")
    assert galloway(app, "gate", "say", "warn", str(folder)).returncode == 0
    (found,) = [about for about in gated(app.workspace).values() if about.word is not None]
    assert (found.word, found.name, found.score) == (Word.WARN, "one.jpg", None)


def test_what_is_erased_is_forgotten_here_too(app: App) -> None:
    scored(app, app.store.faces(Side.A)[0].face_id, 0.93)
    remove_source(app, plan_removal(app, Side.A, "clipa"))
    assert gated(app.workspace) == {}
    assert len(looked_at(app.workspace)) == 6 + 1


def test_the_requester_sees_both_and_sound_has_no_veil(app: App) -> None:
    first = app.store.faces(Side.A)[0].face_id
    scored(app, first, 0.93)
    assert picture_bytes(app, first, clear=True) != picture_bytes(app, first, clear=False)
    assert picture_bytes(app, picture_id(app.workspace, reference_key(Side.A, "person.jpg")), clear=True) is not None
    assert blurred(b"ID3" + b"\0" * 40) is None
    assert stills(b"GIF89a broken", "x") == []


def test_words_stay_when_scores_come(app: App) -> None:
    say_word(app.workspace, {"m1": Known("cat.jpg", "picture")}, Word.WARN)
    keep_scores(app.workspace, {"m1": 0.9}, {"m1": Known("cat.jpg", "picture")})
    assert (gated(app.workspace)["m1"].word, gated(app.workspace)["m1"].score) == (Word.WARN, 0.9)


def test_the_model_finds_nothing_in_made_pictures() -> None:
    assert explicit.explicit_available(), "the extra gate is part of the extra test"
    made = [Image.new("RGB", (96, 96), colour) for colour in ("white", "black", "navy", "green")]
    assert max(explicit.explicit_score(picture) for picture in made) < 0.5
