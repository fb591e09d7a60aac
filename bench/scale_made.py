"""A workspace with any number of faces for `bench/scale.py`, made as rows, without the flow that leads there.

What is as in life: a file for each face with its own header and alignments that hold it (`merge_data`), so that a merge
can be planned; tracks of thirty moments; a wanted person in seven of ten tracks and eleven others; embeddings that lie
about their person, measures, the side's look as `look_at` keeps it; three to five workers' looks a face, both questions
answered in each, by forty workers of whom each errs in its own way; frozen batches of pages, their HITs, assignments,
payments. What is not: the pictures (32 small ones of noise), the answers' XML (a comment), and nobody was asked.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from galloway.curation.faceset.png.identity import face_id
from galloway.curation.faceset.png.types import FaceSource
from galloway.curation.pictures import open_picture
from galloway.curation.screen.observe import Observation
from galloway.curation.screen.pixels import Measures
from galloway.curation.shown import LookedAt
from galloway.curation.types import (
    AssignmentId,
    DecidedBy,
    Decision,
    Face,
    FaceId,
    PageKind,
    Question,
    Side,
    Status,
    Vote,
    WorkerId,
)
from galloway.mturk.requester import ledger_tables as ledger
from galloway.mturk.requester.money import NO_FEES
from galloway.mturk.requester.publish import BatchSpec, HitSpec, batch_row, hit_rows, quote_batch
from galloway.pipeline.app import App
from galloway.pipeline.asking.sight import keep_look
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.records import (
    FrozenBatch,
    FrozenTile,
    add_batch,
    add_source,
    mark_sent,
)
from numpy.typing import NDArray
from PIL import Image

from bench.merge_data import generate

ASKED = (3, 5)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MARKET = "local"
WORKERS = 40
TRACK = 30
WANTED, OTHERS = 0.7, 11
PER_PAGE, PER_BATCH = 24, 4800
A_CLIP = 50_000
"""So many faces come from a film: as many as one of half an hour has."""
NAMES = 60_000
"""So many names has a picture at most: ext4 gives a file 65,000."""
SPREAD, MOMENT = 0.03, 0.012
"""How far an embedding's numbers lie from those of its person, and those of a moment from its track: persons are then
about .9 apart and faces of one about .5, as dlib's are."""
_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWSMechanical'
    'TurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer><QuestionIdentifier>comment</QuestionIdentifier>'
    "<FreeText>done</FreeText></Answer></QuestionFormAnswers>"
)


def made(folder: Path, faces: int, seed: int, asked: tuple[int, int] = ASKED) -> App:
    """A workspace in `folder` with so many faces, half of them on each side, each asked of so many workers."""
    app = App(make_workspace(folder, "scale")[0])
    for number, side in enumerate(Side):
        _side(app, side, faces // 2, np.random.default_rng([seed, number]), asked)
    return app


def rows_alone(folder: Path, faces: int, seed: int, asked: tuple[int, int] = ASKED) -> App:
    """The same with one picture under all names: faces, looks, votes, batches, and decisions as drawn. Pages are
    measured in it; there is nothing to merge and nothing to teach a model with."""
    app = App(make_workspace(folder, "scale")[0])
    for number, side in enumerate(Side):
        rng, count = np.random.default_rng([seed, number]), faces // 2
        ids = [f"{number}{rng.integers(1 << 60):015x}{place:016x}" for place in range(count)]
        rows = [
            Face(
                FaceId(key), side, f"clip_{place:06d}_0.png", f"clip{place % 3}", f"clip_{place:06d}.mp4", 0, place + 1,
                (40, 30, 60 + (place * 7919) % 240, 300),
            )
            for place, key in enumerate(ids)
        ]  # fmt: skip
        app.store.add_faces(rows)
        _one_picture(app, side, rows)
        add_source(
            app.workspace, side, "clip0", kind="faces", path=app.workspace.path("facesets", side.value, "clip.fsa"),
            sha256="0" * 64, person="somebody", basis="own", note="", faces=count, engine="imported",
        )  # fmt: skip
        person = np.repeat(np.where(rng.random(-(-count // TRACK)) < WANTED, 1, 2), TRACK)[:count]
        place = rng.random((count, 4)).round(4).tolist()
        app.store.note_looks(
            [
                LookedAt(FaceId(key), s, 90 * y - 45, int(p), x, z)
                for key, p, (s, y, x, z) in zip(ids, person, place, strict=True)
            ]
        )
        _asked(app, side, rows, person == 1, rng, asked)
        app.store.add_decisions(
            [*(app.store.decisions()), *_drawn(rows, person == 1, rng)], method="auto", made_at=datetime.now(UTC)
        )
    return app


def _one_picture(app: App, side: Side, rows: Sequence[Face]) -> None:
    """The file of each face: one picture, linked; a copy now and then, since a file has at most so many names."""
    places = app.workspace.faces_dir(side), app.workspace.references_dir(side)
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    picture = places[1] / "person.jpg"
    Image.new("RGB", (256, 256), (180, 150, 130)).save(picture)
    paths = [places[0] / face.name for face in rows]
    with TemporaryDirectory() as apart:
        generate(Path(apart), faces=1, line="master", seed=1)
        (made,) = Path(apart).rglob("*.png")
        for start in range(0, len(paths), NAMES):
            shutil.copyfile(made, paths[start])
            for path in paths[start + 1 : start + NAMES]:
                path.hardlink_to(paths[start])


def _drawn(rows: Sequence[Face], good: NDArray[Any], rng: np.random.Generator) -> Iterator[Decision]:
    """Decisions per question and face, a twentieth of them in dispute."""
    sure, open_ = (1 - rng.random(len(rows)) ** 3 / 2).tolist(), (rng.random(len(rows)) < 0.05).tolist()
    for face, keep, chance, disputed in zip(rows, good.tolist(), sure, open_, strict=True):
        status = Status.DISPUTED if disputed else Status.APPROVED if keep else Status.REJECTED
        for question, label in ((Question.USABLE, "keep"), (Question.IDENTITY, "same"), (None, "keep")):
            bad = "different" if label == "same" else "reject"
            yield Decision(
                face.face_id, question, status, label if keep else bad, None if keep else "another_person", chance, 4,
                DecidedBy.CROWD, "auto",
            )  # fmt: skip


def _side(app: App, side: Side, count: int, rng: np.random.Generator, asked: tuple[int, int]) -> None:
    root = app.workspace.faces_dir(side).parent
    if root.exists():
        shutil.rmtree(root)
    clips = [f"clip{number}" for number in range(-(-count // A_CLIP))]
    for clip, first in zip(clips, range(0, count, A_CLIP), strict=True):
        most = min(A_CLIP, count - first)
        generate(root, faces=most, line="master", seed=int(rng.integers(1 << 30)), clip=clip)
    references = app.workspace.references_dir(side)
    references.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (256, 256), (180, 150, 130)).save(references / "person.jpg")
    faces = _faces(app.workspace.faces_dir(side))
    rows = [face for _, face in faces]
    for start in range(0, count, 5000):
        app.store.add_faces(rows[start : start + 5000])
    for clip in clips:
        film = root / "alignments" / f"{clip}_alignments.fsa"
        add_source(
            app.workspace, side, clip, kind="faces", path=film, sha256="0" * 64, person="somebody", basis="own",
            note="", faces=sum(face.source == clip for face in rows), engine="imported",
        )  # fmt: skip
    tracks = -(-count // TRACK)
    person = np.repeat(np.where(rng.random(tracks) < WANTED, 0, rng.integers(1, OTHERS + 1, tracks)), TRACK)[:count]
    poor = np.repeat(rng.random(tracks) < 0.12, TRACK)[:count]
    _looked(app, side, rows, person, poor, rng)
    _asked(app, side, rows, (person == 0) & ~poor, rng, asked)


def _faces(folder: Path) -> list[tuple[str, Face]]:
    """The faces of the folder, in the order in which they were made, with their frames."""
    side = Side(folder.parent.name)
    names = sorted(path.name for path in folder.iterdir())
    pictures = [np.asarray(open_picture(folder / name)) for name in names[:32]]
    found = []
    for place, name in enumerate(names):
        clip, number, index = name.removesuffix(".png").split("_")
        frame = f"{clip}_{number}.mp4"
        source = FaceSource(name, int(index), frame, True, (720, 1280))
        key = face_id(side, source, pictures[place % 32])
        size = 60 + (place * 7919) % 240
        found.append((frame, Face(key, side, name, clip, frame, int(index), int(number), (40, 30, size, size + 8))))
    return found


def _looked(
    app: App, side: Side, rows: Sequence[Face], person: NDArray[Any], poor: NDArray[Any], rng: np.random.Generator
) -> None:
    centres = rng.normal(0, 0.08, (OTHERS + 1, 128))
    track = np.repeat(rng.normal(0, SPREAD, (-(-len(rows) // TRACK), 128)), TRACK, axis=0)[: len(rows)]
    vectors = (centres[person] + track + rng.normal(0, MOMENT, track.shape)).astype(np.float32)
    sharp = rng.normal(0, 1, len(rows)) - 2 * poor
    light, yaw = rng.uniform(0.3, 0.7, len(rows)), rng.normal(0, 25, len(rows))
    jitter = rng.uniform(0, 0.05, len(rows)) + 0.1 * poor
    bits = rng.integers(0, 1 << 62, -(-len(rows) // TRACK))
    looked = [
        Observation(
            face.face_id, face.source, face.frame_number, float(min(face.box[2:])),
            Measures(float(sharp[i]), float(light[i]), 0.2, 0.01, 0.0, int(bits[i // TRACK])),
            float(yaw[i]), 5.0, 2.0, 0.05, float(jitter[i]), vectors[i],
        )
        for i, face in enumerate(rows)
    ]  # fmt: skip
    keep_look(app, side, rows, looked, centres[:1].astype(np.float32))


def _asked(
    app: App, side: Side, rows: Sequence[Face], good: NDArray[Any], rng: np.random.Generator, asked: tuple[int, int]
) -> None:  # fmt: skip
    """Batches of pages, all of them answered."""
    errs = rng.uniform(0.02, 0.12, WORKERS)
    errs[0], errs[1] = 0.5, 0.3
    for number, start in enumerate(range(0, len(rows), PER_BATCH)):
        _batch(app, side, number, rows[start : start + PER_BATCH], good[start : start + PER_BATCH], errs, rng, asked)


def _batch(
    app: App, side: Side, number: int, rows: Sequence[Face], good: NDArray[Any], errs: NDArray[Any],
    rng: np.random.Generator, asked: tuple[int, int],
) -> None:  # fmt: skip
    least, most = asked
    key = f"scale-{side.value}-both-r1-{number:04d}"
    pages = {
        f"{key}-{place:04d}": range(first, min(first + PER_PAGE, len(rows)))
        for place, first in enumerate(range(0, len(rows), PER_PAGE))
    }
    plan = FrozenBatch(
        key, MARKET, side, Question.USABLE, PageKind.BOTH, 1, 4, False, Decimal("0.15"), 48, (), NOW, NOW
    )  # fmt: skip
    tiles = {
        hit: {f"{place:08x}": FrozenTile(rows[place].face_id, False) for place in places}
        for hit, places in pages.items()
    }
    add_batch(app.workspace, plan, tiles)
    mark_sent(app.workspace, key)
    spec = BatchSpec(
        key, "Keep or reject", "Look", "faces", Decimal("0.15"), 5, timedelta(days=3), timedelta(minutes=30),
        timedelta(days=3), [HitSpec(hit, "<form>") for hit in pages],
    )  # fmt: skip
    app.ledger.plan(batch_row(MARKET, spec, quote_batch(spec, NO_FEES)), hit_rows(MARKET, spec))
    votes: list[Vote] = []
    work: list[dict[str, Any]] = []
    for hit, places in pages.items():
        for worker in rng.choice(WORKERS, int(rng.integers(least, most + 1)), replace=False).tolist():
            assignment = f"3{hit.upper().replace('-', '')}{worker:04d}"
            work.append(_work(key, hit, assignment, worker))
            votes += _votes([rows[i].face_id for i in places], good[list(places)], assignment, worker, errs, rng)
    _pay(app, key, list(pages), work)
    app.store.add_votes(votes)


def _votes(
    faces: Sequence[FaceId], good: NDArray[Any], assignment: str, worker: int, errs: NDArray[Any],
    rng: np.random.Generator,
) -> Iterator[Vote]:  # fmt: skip
    said = good ^ (rng.random(len(faces)) < errs[worker])
    for face, keep in zip(faces, said.tolist(), strict=True):
        for question in PageKind.BOTH.questions:
            usable = question is Question.USABLE
            label = ("keep" if keep else "reject") if usable else ("same" if keep else "different")
            yield Vote(
                face, question, label, WorkerId(f"A{worker:04d}"), AssignmentId(assignment), 1, NOW,
                reason="another_person" if usable and not keep else None, seconds=2.0 + worker / 10, look="both:face",
            )  # fmt: skip


def _work(key: str, hit: str, assignment: str, worker: int) -> dict[str, Any]:
    return {
        "state_key": MARKET, "assignment_id": assignment, "batch_key": key, "hit_key": hit, "hit_id": f"3{hit}",
        "worker_id": f"A{worker:04d}", "status": "Approved", "answer_xml": _XML, "accepted_at": NOW,
        "submitted_at": NOW + timedelta(seconds=48 + worker), "collected_at": NOW, "feedback": "",
    }  # fmt: skip


def _pay(app: App, key: str, hits: Sequence[str], work: Sequence[dict[str, Any]]) -> None:
    paid = [
        {
            "state_key": MARKET, "payment_key": f"approve:{row['assignment_id']}", "kind": "approve", "batch_key": key,
            "assignment_id": row["assignment_id"], "worker_id": row["worker_id"], "amount": Decimal("0.15"),
            "fee": Decimal("0.00"), "reason": "", "token": "", "status": "done", "intent_at": NOW, "done_at": NOW,
        }
        for row in work
    ]  # fmt: skip
    sent = ledger.hit.update().where(ledger.hit.c.batch_key == key)
    with app.workspace.db.begin() as db:
        db.execute(sent.values(status="published", published_at=NOW, expires_at=NOW, hit_id="3" + ledger.hit.c.hit_key))
        db.execute(ledger.assignment.insert(), list(work))
        db.execute(ledger.payment.insert(), paid)
