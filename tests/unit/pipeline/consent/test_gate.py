"""A person who withdraws: all that was made is listed and barred, and nothing else changes."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.consent.gate import check_consent, check_model, consent_fingerprints
from galloway.pipeline.consent.kept import keep, note_source, record_of, record_path
from galloway.pipeline.consent.lineage import lineage, note_film
from galloway.pipeline.errors import NotApproved
from galloway.pipeline.stages.convert import convert
from galloway.pipeline.stages.erase import Erasure, erase_person
from galloway.pipeline.stages.train import TrainOptions, train
from galloway.pipeline.workspace.approved import facesets
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.runs import runs
from galloway.pipeline.workspace.schema import source_table

from tests.support.engines import a_picture, write_clip
from tests.support.web import full_workspace
from tests.support.workspace import galloway

MARK = "00c0ffee12"
BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Side A is Eileen's, side B Grace's; merged, trained, converted."""
    app = App(full_workspace(tmp_path / "ws"))
    for item in sources(app.workspace):
        note_source(app, item)
        record = record_of(app.workspace.root, item.person)
        assert record is not None
        keep(app.workspace.root, replace(record, recorded_at=BEFORE))
    run = runs(app.workspace)[-1]
    run.record["facesets"] = {
        side.value: {"id": facesets(app.workspace, side)[0].id, "digest": "x", "faces": 1}
        for side in Side
        if facesets(app.workspace, side)
    }
    (run.folder / "run.json").write_text(json.dumps(run.record))
    record = {"sha256": "0" * 64, "made_at": "2026-01-01", "mark": MARK}
    note_film(run, tmp_path / "elsewhere.mp4", app.workspace.root, record)
    return app


def test_a_film_that_lost_tags_and_signature_is_known_by_its_mark(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("galloway.pipeline.provenance.film.read_mark", lambda _path: int(MARK, 16))
    film = write_clip(tmp_path / "from the net.mp4", [a_picture(64, 48, 1)])
    here = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "verify", str(film)])
    assert here.exit_code == 1, "it is no signed film"
    assert f"That mark is of {tmp_path / 'elsewhere.mp4'}, made here 2026-01-01" in here.output
    monkeypatch.chdir(tmp_path)
    outside = CliRunner().invoke(cli, ["verify", str(film)])
    assert MARK in outside.output and "galloway -w FOLDER verify FILM" in outside.output


def owner(app: App) -> str:
    """Who is on the side that was merged."""
    side = next(side for side in Side if facesets(app.workspace, side))
    return next(item.person for item in sources(app.workspace, side))


def pictures(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and path.parts[-2] != "consent"]
    skipped = (".db", "-wal", "-shm", ".lock.json")
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if not path.name.endswith(skipped)
    }


def test_revoking_lists_every_faceset_model_and_film_in_under_a_second_and_changes_nothing_else(app: App) -> None:
    person, before = owner(app), pictures(app.workspace.root)
    begun = time.monotonic()
    record = record_of(app.workspace.root, person)
    assert record is not None
    made = lineage(app, record)
    assert time.monotonic() - begun < 1
    assert made.facesets and made.models and [film.path for film in made.films][-1].endswith("elsewhere.mp4")
    done = galloway(app, "person", "revoke", person, "--yes", "--note", "by mail")
    assert done.returncode == 0, done.stderr
    for kind in ("source:", "faceset:", "model:", "film:"):
        assert kind in done.stdout
    assert pictures(app.workspace.root) == before
    again = galloway(app, "person", "revoke", person, "--yes")
    assert again.returncode == 3 and "already" in again.stderr


def test_training_converting_and_publishing_are_refused_in_words(app: App) -> None:
    person = owner(app)
    galloway(app, "person", "revoke", person, "--yes")
    for refused in (lambda: train(app, TrainOptions(), on_event=print), lambda: convert(app)):
        with pytest.raises(NotApproved, match=f"{person} withdrew on"):
            refused()
    with pytest.raises(NotApproved, match="withdrew"):
        check_consent(app, "clean")
    shown = galloway(app, "person", "show", person.upper())
    assert shown.returncode == 0 and "withdrew" in shown.stdout and "elsewhere.mp4" in shown.stdout


def test_a_model_that_learnt_from_them_stays_barred_when_their_footage_is_gone(app: App) -> None:
    person = owner(app)
    galloway(app, "person", "revoke", person, "--yes")
    with app.workspace.db.begin() as db:
        db.execute(source_table.delete().where(source_table.c.person == person))
    check_consent(app, "train")  # nobody who is here withdrew
    with pytest.raises(NotApproved, match=f"trained on faces of {person}"):
        check_model(app, runs(app.workspace)[-1].record["model_dir"])


def test_agreeing_again_opens_what_is_new_and_keeps_the_history(app: App) -> None:
    person = owner(app)
    galloway(app, "person", "revoke", person, "--yes")
    done = galloway(app, "person", "consent", person, "--expires", "2099-01-01", "--scope", "train")
    assert done.returncode == 0, done.stderr
    check_consent(app, "train")
    with pytest.raises(NotApproved, match="did not agree to “convert”"):
        check_consent(app, "convert")
    record = record_of(app.workspace.root, person)
    assert record is not None and len(record.history) == 2 and record.expires == date(2099, 1, 1)


def test_consent_ends_after_its_last_day(app: App) -> None:
    person, today = owner(app), datetime.now(UTC).date()
    galloway(app, "person", "consent", person, "--expires", today.isoformat())
    check_consent(app, "train", today)
    with pytest.raises(NotApproved, match="ended on"):
        check_consent(app, "train", today + timedelta(days=1))


def test_evidence_is_kept_by_its_hash_and_a_receipt_is_checked(app: App, tmp_path: Path) -> None:
    person = owner(app)
    (tmp_path / "release.pdf").write_bytes(b"signed")
    galloway(app, "person", "consent", person, "--evidence", str(tmp_path / "release.pdf"))
    record = record_of(app.workspace.root, person)
    assert record is not None and record.evidence[0].sha256 == hashlib.sha256(b"signed").hexdigest()
    out = tmp_path / "receipt.json"
    assert galloway(app, "person", "receipt", person, "--out", str(out)).returncode == 0
    good = galloway(app, "person", "receipt", "--check", str(out))
    assert good.returncode == 0 and "genuine" in good.stderr
    out.write_text(out.read_text().replace("release", "forged"))
    bad = galloway(app, "person", "receipt", "--check", str(out))
    assert bad.returncode == 1 and "was changed" in bad.stderr
    assert person not in json.dumps(consent_fingerprints(app))


def test_nobody_of_that_name_is_said(app: App) -> None:
    done = galloway(app, "person", "revoke", "Nobody", "--yes")
    assert done.returncode == 1 and "galloway person list" in done.stderr


def test_who_is_erased_has_no_record_left(app: App) -> None:
    person = owner(app)
    record = record_of(app.workspace.root, person)
    assert record is not None and record_path(app.workspace.root, record).is_file()
    plan = Erasure(person, (), (), ())
    erase_person(app, plan)
    assert record_of(app.workspace.root, person) is None
    assert not record_path(app.workspace.root, record).exists()


def test_a_second_withdrawal_bars_what_the_first_did(app: App) -> None:
    person = owner(app)
    run = runs(app.workspace)[-1]
    galloway(app, "person", "revoke", person, "--yes")
    galloway(app, "person", "consent", person)
    check_model(app, run.record["model_dir"])
    again = galloway(app, "person", "revoke", person, "--yes")
    assert "faceset:" in again.stdout and "model:" in again.stdout
    with pytest.raises(NotApproved, match=f"trained on faces of {person}"):
        check_model(app, run.record["model_dir"])


def test_also_without_their_footage_what_was_approved_before_they_agreed_again_is_barred(app: App) -> None:
    person, run = owner(app), runs(app.workspace)[-1]
    record = record_of(app.workspace.root, person)
    assert record is not None
    keep(app.workspace.root, record.changed(withdrawn_at=datetime.now(UTC)))  # while nothing was approved yet
    galloway(app, "person", "consent", person)
    with app.workspace.db.begin() as db:
        db.execute(source_table.delete().where(source_table.c.person == person))
    assert galloway(app, "person", "revoke", person, "--yes").returncode == 0
    with pytest.raises(NotApproved, match=f"trained on faces of {person}"):
        check_model(app, run.record["model_dir"])


def test_a_record_that_is_begun_at_the_withdrawal_bars_what_was_approved_since_the_footage_came_in(app: App) -> None:
    person, run = owner(app), runs(app.workspace)[-1]
    record = record_of(app.workspace.root, person)
    assert record is not None
    record_path(app.workspace.root, record).unlink()  # as for footage from before records were kept
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().values(ingested_at=BEFORE.isoformat()))
    assert galloway(app, "person", "revoke", person, "--yes").returncode == 0
    with pytest.raises(NotApproved, match=f"trained on faces of {person}"):
        check_model(app, run.record["model_dir"])
