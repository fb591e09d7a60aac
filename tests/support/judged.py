"""A workspace with a converted film that was spoilt where we know, its measures, and people who review it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, read_alignments, write_alignments
from galloway.curation.faceset.png.headers import FaceAlignment
from galloway.curation.types import Face, Side, no_progress
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.pipeline.app import App
from galloway.pipeline.engines.beside import show_beside
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import VideoWriter
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.judging.film import JudgedFilm, find_film
from galloway.pipeline.market.local import local_config
from galloway.pipeline.workspace.films import written_beside
from galloway.pipeline.workspace.judged import Moment, moments_of, swap_batches, swap_tiles
from galloway.pipeline.workspace.schema import source_table

from tests.support.engines import landmarks_at
from tests.support.faces import make_vote
from tests.support.faceset import alignment
from tests.support.workspace import built_app

__all__ = ["FAULTS", "FRAMES", "RATE", "answer_review", "call_covered", "fault_of", "film_app", "right"]

FRAMES, RATE = 96, Fraction(12)
FAULTS = {(13, 24): "person", (40, 51): "flicker", (70, 78): "covered"}
"""Frames first..last that were spoilt, and how. The measures see the first two and suspect 55 to 60 for nothing; the
third lies where they are calm."""
_SEEN = {(13, 24): "identity", (40, 51): "jitter", (55, 60): "border edge"}
Say = Callable[[str, Moment], str]


def film_app(root: Path) -> tuple[App, JudgedFilm]:
    """The workspace with `results/clipa-swapped.mp4`, its record and its measures."""
    app = built_app(root, faces=6)
    clip = app.workspace.root / "sources" / "a" / "clipa.mp4"
    film = app.workspace.path("results", "clipa-swapped.mp4")
    _write(clip, lambda _number: (40, 90, 160))
    _write(film, lambda number: (200, 40, 40) if fault_of(number) else (60, 160, 90))
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.side == "a").values(frames=FRAMES))
    known = {f"clipa_{n:06d}.mp4": FrameFaces([_face()]) for n in range(1, FRAMES + 1)}
    write_alignments(app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa", Alignments(known), "v2.3")
    show_beside(open_source(clip), film, (), written_beside(film).side_by_side, None, no_progress)
    sha256 = hashlib.sha256(film.read_bytes()).hexdigest()
    record = {"source": "clipa", "sha256": sha256, "run": "r1", "frames": FRAMES}
    written_beside(film).record.write_text(json.dumps(record))
    by_frame = [[n, *_measured(n)] for n in range(1, FRAMES + 1)]
    measures = {"film": film.name, "source": "clipa", "sha256": sha256, "by_frame": by_frame}
    film.with_name(f"{film.name}.measures.json").write_text(json.dumps(measures))
    return app, find_film(app, film)


def call_covered(app: App) -> list[Face]:
    """Have somebody call the first face of each of side A's frames covered, and each be its frame's largest; them."""
    faces = [face for face in app.store.faces(Side.A) if face.face_index == 0]
    path = app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    known = read_alignments(path).frames
    placed = {}
    for face in faces:
        x, y, w, h = face.box
        one = replace(known[face.source_name].faces[0], x=x, y=y, w=w, h=h, landmarks=landmarks_at(80, 60, 30))
        placed[face.source_name] = FrameFaces([one])
    write_alignments(path, Alignments({**known, **placed}), "v2.3")
    app.store.add_votes([make_vote(face, "reject", "A1", reason="covered") for face in faces])
    return faces


def _face() -> FaceAlignment:
    return replace(alignment(3), x=60, y=30, w=40, h=40)


def _measured(number: int) -> tuple[str, float]:
    name = next((name for (first, last), name in _SEEN.items() if first <= number <= last), "")
    return (name, 2.0) if name else ("colour", 0.3)


def _write(path: Path, colour: Callable[[int], tuple[int, int, int]]) -> None:
    with VideoWriter(path, width=160, height=120, rate=RATE, metadata=METADATA) as writer:
        for number in range(1, FRAMES + 1):
            picture = np.full((120, 160, 3), 190, np.uint8)
            picture[30:70, 60:100] = colour(number)
            picture[40:44, 60 + number % 30 : 64 + number % 30] = 255
            writer.write(picture)


def fault_of(number: int) -> str:
    """What is wrong with a frame; "" where nothing is."""
    return next((name for (first, last), name in FAULTS.items() if first <= number <= last), "")


def right(_name: str, moment: Moment) -> str:
    """What somebody says who sees everything: the fault of most frames that have one."""
    found = [fault_of(number) for number in range(moment.first, moment.last + 1)]
    named = [name for name in found if name]
    return max(named, key=named.count) if named else "fine"


def answer_review(app: App, film: JudgedFilm, names: Sequence[str], done: set[str], say: Say = right) -> int:
    """As many of the people in `names` as a page wants answer each page that is not among `done`; how many answers."""
    store = open_store(local_config(app.workspace))
    work, answers = Work(store), 0
    moments = {moment.number: moment for moment in moments_of(app.workspace, film.id)}
    hits = {
        row["hit_key"]: row["hit_id"]
        for batch in swap_batches(app.workspace, film=film.id)
        for row in app.ledger.hits(batch.market, [batch.key])
    }
    for name in names:
        worker = work.join(work.invite().token, name=name, password="correct horse").worker.worker_id
        for batch in swap_batches(app.workspace, film=film.id):
            for hit_key, tiles in swap_tiles(app.workspace, batch.key).items():
                if hit_key in done or names.index(name) >= batch.votes:
                    continue
                fields = [("elapsed", "30000")]
                for key, tile in tiles.items():
                    if batch.page == "scribble":
                        fields += [(f"moment.{key}", "marked"), (f"cell.{key}.3.4", "on")]
                    else:
                        fields.append((f"moment.{key}", say(name, moments[tile.moment])))
                held = work.accept(worker, hit_id=hits[hit_key])
                work.submit(held.assignment_id, fields)
                answers += 1
    store.close()
    done.update(hits)
    return answers
