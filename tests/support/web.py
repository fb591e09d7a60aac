"""A small workspace with something on every page: faces, votes, decisions, batches, a merge, a run, a result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from galloway.curation.types import AssignmentId, Face, FaceId, Question, Side, Vote, WorkerId
from galloway.mturk.requester.client import AssignmentInfo, HitInfo
from galloway.mturk.requester.money import NO_FEES
from galloway.mturk.requester.publish import BatchSpec, HitSpec, batch_row, hit_rows, quote_batch
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide
from galloway.pipeline.workspace.folder import CONFIG_NAME, Workspace
from galloway.pipeline.workspace.schema import batch_table, faceset_table, source_table
from PIL import Image, ImageDraw

from tests.support.mturk import answer_xml

__all__ = ["NOW", "empty_workspace", "face_id", "full_workspace"]

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_DIGEST = "blake2b:" + "5e" * 16
_WORKERS = ("AANN", "ABEN", "ACARA")


def face_id(side: Side, number: int) -> FaceId:
    return FaceId(f"{'0a' if side is Side.A else '0b'}{number:030x}")


def empty_workspace(root: Path) -> Workspace:
    """A workspace in which nothing was done."""
    root.mkdir(parents=True, exist_ok=True)
    (root / CONFIG_NAME).write_text('name = "trial"\n[ask]\nmethod = "majority"\n', encoding="utf-8")
    return Workspace.open(root)


def full_workspace(root: Path, *, faces: int = 8, simulated: Sequence[str] = ("ACARA",)) -> Workspace:
    """A workspace in the middle of the work. Faces 0, 4, … are disputed, 1, 5, … rejected, 7, 15, … unanswered."""
    workspace = empty_workspace(root)
    app = App(workspace)
    for side in Side:
        _add_source(app, side, faces)
        _add_faces(app, side, faces)
    app.store.add_votes(_votes(faces, simulated))
    decide(app)
    _add_batch(app)
    _add_merge(app)
    _add_run(app)
    _add_result(app)
    return workspace


def _add_source(app: App, side: Side, faces: int) -> None:
    with app.workspace.db.begin() as db:
        db.execute(
            source_table.insert().values(
                side=side.value, name="clip", kind="video", path=f"sources/{side.value}/clip.mp4", sha256="0" * 64,
                person="Eileen" if side is Side.A else "Grace", basis="public-domain", note="",
                ingested_at=NOW.isoformat(), frames=60, faces=faces, engine="embedded", extracted_at=NOW.isoformat(),
            )
        )  # fmt: skip


def _add_faces(app: App, side: Side, count: int) -> None:
    folder = app.workspace.faces_dir(side)
    folder.mkdir(parents=True)
    rows = []
    for number in range(count):
        name = f"clip_{number + 1:06d}_0.png"
        _portrait(number * 37 + (0 if side is Side.A else 120)).save(folder / name)
        rows.append(
            Face(face_id(side, number), side, name, "clip", f"clip_{number + 1:06d}.png", 0, number + 1, (4, 4, 60, 60))
        )
    app.store.add_faces(rows)
    references = app.workspace.references_dir(side)
    references.mkdir(parents=True)
    _portrait(77).save(references / "person.jpg")


def _portrait(hue: int) -> Image.Image:
    image = Image.new("HSV", (256, 256), (hue % 256, 60, 225))
    draw = ImageDraw.Draw(image)
    draw.ellipse((58, 36, 198, 226), fill=(hue % 256, 110, 180))
    for x in (96, 144):
        draw.ellipse((x, 104, x + 18, 122), fill=(0, 0, 40))
    draw.arc((96, 140, 162, 190), 20, 160, fill=(0, 0, 40), width=5)
    return image.convert("RGB")


def _votes(faces: int, simulated: Sequence[str]) -> list[Vote]:
    votes = []
    for side in Side:
        for number in range(faces):
            for place, worker in enumerate(_WORKERS):
                if number % 8 == 7 or (number % 4 == 0 and place == 2):
                    continue
                reject = number % 4 == 1 or (number % 4 == 0 and place == 1)
                labels = [(Question.USABLE, "reject" if reject else "keep", "not_a_face" if reject else None)]
                labels.append((Question.IDENTITY, "different" if reject else "same", None))
                votes += [
                    Vote(
                        face_id(side, number),
                        question,
                        label,
                        WorkerId(worker),
                        AssignmentId(f"3{worker}{side.value}{question.value}{number}".upper()),
                        1,
                        NOW + timedelta(seconds=number * 5 + place),
                        reason=reason,
                        seconds=1.4 + place,
                        simulated=worker in simulated,
                    )
                    for question, label, reason in labels
                ]
    return votes


def _add_batch(app: App) -> None:
    """Two HITs of three places: the first answered by all and paid, the second by nobody."""
    key, ledger = "abc123-a-usable-r1-0001", app.ledger
    plan = {
        "batch_key": key, "market": "local", "side": "a", "question": "usable", "round": 1, "votes": 3,
        "reward": "0.15", "seconds": 48, "excluded": "[]", "audit": False, "links_until": NOW.isoformat(),
        "planned_at": NOW.isoformat(), "published_at": NOW.isoformat(),
    }  # fmt: skip
    with app.workspace.db.begin() as db:
        db.execute(batch_table.insert().values({name: plan[name] for name in plan if name in batch_table.c}))
    spec = BatchSpec(
        key, "Keep or reject", "Look", "faces", Decimal("0.15"), 3, timedelta(days=3), timedelta(minutes=30),
        timedelta(days=3), [HitSpec(f"{key}-{number:04d}", "<form>") for number in (1, 2)],
    )  # fmt: skip
    ledger.plan(batch_row("local", spec, quote_batch(spec, NO_FEES)), hit_rows("local", spec))
    for number, hit in enumerate(ledger.hits("local", [key])):
        info = HitInfo(f"3HIT{number:026d}", "3TYPE", "3GROUP", "Assignable", hit["annotation"], 3, 3, 0, NOW, "")
        ledger.mark_published("local", key, hit["hit_key"], info)
    first = ledger.hits("local", [key])[0]
    found = [
        AssignmentInfo(
            f"3ASSIGN{place:023d}", first["hit_id"], worker, "Submitted", answer_xml({"comment": "done"}),
            NOW, NOW + timedelta(seconds=40 + place), None, "",
        )
        for place, worker in enumerate(_WORKERS)
    ]  # fmt: skip
    ledger.keep_assignments(first, found)
    for item in found:
        payment = {
            "state_key": "local", "payment_key": f"approve:{item.assignment_id}", "kind": "approve", "batch_key": key,
            "assignment_id": item.assignment_id, "worker_id": item.worker_id, "amount": Decimal("0.15"),
            "fee": Decimal("0.00"), "reason": "", "token": "",
        }  # fmt: skip
        ledger.intend_payment(payment)
        ledger.mark_paid("local", payment["payment_key"], assignment_status="Approved")


def _add_merge(app: App) -> None:
    values = {
        "id": "b-20261122", "side": "b", "merge_id": "20261122-090000", "parent": None, "digest": _DIGEST,
        "faces": 7, "rejected": 1, "approved_at": NOW.isoformat(), "undone_at": None,
    }  # fmt: skip
    with app.workspace.db.begin() as db:
        db.execute(faceset_table.insert().values(**values))
    away = app.workspace.path("facesets", "b", "rejected", "20261122-090000", "clip_000002_0.png")
    (app.workspace.faces_dir(Side.B) / "clip_000002_0.png").rename(away)
    app.store.place_faces(Side.B, {}, {face_id(Side.B, 1): app.workspace.relative(away)})


def _add_run(app: App) -> None:
    folder = app.workspace.path("runs", "train-20261122-090500-000000", "run.json").parent
    side = {"id": "a-1", "digest": "blake2b:" + "a1" * 16, "faces": 8}
    record = {
        "engine": "embedded", "model": "original", "model_dir": "models/embedded-original",
        "facesets": {"a": side, "b": {**side, "id": "b-20261122"}},
        "options": {"iterations": 600, "batch_size": 8, "seed": 1, "minutes": None, "options": {}},
        "settings": ["train.ini [global] learning_rate = 2e-5"], "versions": {"galloway": "0.1.0", "keras": "3.9"},
        "command": "embedded train model=original", "started_at": NOW.isoformat(),
        "result": {"iterations": 600, "stopped": "done", "loss_a": 0.03, "loss_b": 0.04},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    _portrait(30).resize((320, 160)).save(folder / "preview.png")
    lines = [
        {"kind": "loss", "iteration": at, "loss_a": 0.25 / (1 + at / 90) + 0.02, "loss_b": 0.3 / (1 + at / 70) + 0.03}
        for at in range(1, 601, 4)
    ]
    events = [
        {"kind": "log", "iteration": 0, "text": "model of 6.5 M parameters"},
        *lines,
        {"kind": "saved", "iteration": 600},
        {"kind": "preview", "iteration": 600, "path": app.workspace.relative(folder / "preview.png")},
        {"kind": "preview", "iteration": 600, "path": "../outside.png"},
    ]
    text = "\n".join(json.dumps({**event, "time": NOW.isoformat()}) for event in events)
    (folder / "events.jsonl").write_text(text + '\n{"kind": "lo', encoding="utf-8")


def _add_result(app: App) -> None:
    folder = app.workspace.path("results", "clip-swapped.mp4").parent
    for name in ("clip-swapped.mp4", "clip-swapped.mp4-side-by-side.mp4"):
        (folder / name).write_bytes(bytes(range(256)) * 8)
    _portrait(10).resize((640, 200)).save(folder / "clip-swapped.mp4-preview.png")
    record = {"frames": 60, "swapped": 52, "faces": 52, "run": "train-20261122-090500-000000"}
    (folder / "clip-swapped.mp4.json").write_text(json.dumps(record), encoding="utf-8")
