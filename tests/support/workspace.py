"""Builders of whole workspaces: synthetic faces on disk and in the store, answers given at the embedded marketplace."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from galloway.curation.types import PageKind, Question, Side
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import main
from galloway.pipeline.demo.crowd import Profile, SampleTruth, TrueFace, run_crowd
from galloway.pipeline.market.local import serve_market
from galloway.pipeline.market.pictures import face_file, worker_jpeg
from galloway.pipeline.stages.extract import register_faces
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.records import FrozenBatch, sources
from galloway.pipeline.workspace.schema import source_table
from PIL import Image

from tests.support.databases import DATABASE
from tests.support.faceset import build_faceset
from tests.support.forked import forks

__all__ = [
    "NOON",
    "SETTINGS",
    "answer_at",
    "answer_everything",
    "built_app",
    "frozen_batch",
    "galloway",
    "kill_until_done",
]

SETTINGS = """
[ask]
learn = false
votes = 2
faces_per_hit = 5

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def frozen_batch(**changed: Any) -> FrozenBatch:
    """A batch of a first round of both questions at once, with what is `changed`."""
    usual = FrozenBatch(
        key="first", market="local", side=Side.B, question=Question.USABLE, page=PageKind.BOTH, round=1, votes=1,
        audit=False, reward=Decimal("0.10"), seconds=20, excluded=(), links_until=NOON + timedelta(days=3),
        planned_at=NOON,
    )  # fmt: skip
    return replace(usual, **changed)


def built_app(root: Path, *, faces: int = 20, settings: str = SETTINGS) -> App:
    """A workspace as extraction leaves it: `faces` faces a side, two in every third frame, and a reference each."""
    workspace, _ = make_workspace(root)
    text = (root / "galloway.toml").read_text(encoding="utf-8")
    (root / "galloway.toml").write_text(text[: text.index("[market]")] + settings, encoding="utf-8")
    app = App(type(workspace).open(root))
    for side in Side:
        stem = f"clip{side.value}"
        frames: dict[int, int] = {}
        while sum(frames.values()) < faces:
            number = len(frames) + 1
            frames[number] = min(2 if number % 3 == 0 else 1, faces - sum(frames.values()))
        build_faceset(root / "facesets" / side.value, {stem: frames}, seed=7 if side is Side.A else 8, size=32)
        clip = app.workspace.path("sources", side.value, f"{stem}.mp4")
        clip.write_bytes(stem.encode())
        with app.workspace.db.begin() as db:
            db.execute(
                source_table.insert().values(
                    side=side.value,
                    name=stem,
                    kind="video",
                    path=app.workspace.relative(clip),
                    sha256=stem,
                    person="nobody",
                    basis="own",
                    note="",
                    ingested_at=datetime.now(UTC).isoformat(),
                    frames=len(frames),
                    faces=faces,
                    engine="builder",
                )
            )
        (source,) = sources(app.workspace, side)
        names = tuple(sorted(item.name for item in app.workspace.faces_dir(side).iterdir()))
        register_faces(app, source, names)
        references = app.workspace.references_dir(side)
        references.mkdir(parents=True)
        Image.new("RGB", (64, 64), (120, 90, 60)).save(references / "person.jpg")
    return app


def galloway(
    app: App, *args: str, environment: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run the command's entry point on the workspace, in this process: what a shell would see of it, without the
    seconds that a new interpreter takes to import everything. `kill_until_done` runs real processes."""
    command = ["-w", str(app.workspace.root), *args]
    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    code: object = 0
    try:
        os.environ.clear()
        os.environ.update({**_environment(before), **environment})
        with redirect_stdout(out), redirect_stderr(err):
            main(command)
    except SystemExit as end:
        code = end.code or 0
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert isinstance(code, int)
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


def kill_until_done(
    app: App,
    *args: str,
    done: Sequence[int] = (0, 3),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, int]:
    """Run the command in a process of its own, SIGKILL it after a twentieth of a second, again after a third longer,
    until it ends by itself.

    Gives (how often it was killed, its exit code at last). The kills fall on many different places of the work.
    """
    kills, wait = 0, 0.05
    while True:
        line = ["-w", str(app.workspace.root), *args]
        code, errors = forks().run(line, {**_environment(), **environment}, wait)
        if code is not None:
            assert code in done, f"exit code {code}: {errors[-2000:]}"
            return kills, code
        kills, wait = kills + 1, wait * 4 / 3


def _environment(full: Mapping[str, str] = os.environ) -> dict[str, str]:
    ours = {key: value for key, value in full.items() if not key.startswith(("AWS_", "GALLOWAY_"))}
    rows = full.get(DATABASE)  # a test that runs on PostgreSQL
    return ours if rows is None else {**ours, DATABASE: rows}


def answer_everything(app: App, workers: int = 2) -> int:
    """Flawless simulated workers answer what is open; how many pages. Every fourth face is no face."""
    with serve_market(app.workspace) as running:
        return answer_at(app, running.addresses.worker, lambda: running.invite("tests", workers), workers)


def answer_at(app: App, site: str, invite: Callable[[], str], workers: int = 2) -> int:
    """The same at any worker site."""
    entries = []
    for side in Side:
        for number, face in enumerate(app.store.faces(side, rejected=True)):
            path = face_file(app.workspace, app.store, face.face_id)
            assert path is not None
            bad = number % 4 == 3
            truth = TrueFace("reject" if bad else "keep", "not_a_face" if bad else None, "same")
            entries.append((worker_jpeg(path), truth))
    profiles = [Profile(f"flawless-{number}", reason_right=1.0) for number in range(workers)]
    return run_crowd(site, SampleTruth.of(entries), profiles, invite=invite).submitted
