"""What people painted over a film becomes what training learns of that very face."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, read_alignments, write_alignments
from galloway.curation.types import Face, Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.embedded.data import canvas_matrix
from galloway.pipeline.engines.embedded.occlusion.faces import mask_of
from galloway.pipeline.engines.embedded.occlusion.net import SIDE
from galloway.pipeline.judging.film import JudgedFilm
from galloway.pipeline.judging.pages import GRID
from galloway.pipeline.judging.painted import painted_faces
from galloway.pipeline.judging.pictures import largest_faces, scribbled_on, show_moments
from galloway.pipeline.judging.verdicts import MARKED, Page
from galloway.pipeline.workspace.judged import (
    Moment,
    SwapBatch,
    SwapTile,
    SwapVote,
    add_moments,
    add_swap_batch,
    add_swap_votes,
)
from numpy.typing import NDArray

from tests.support.engines import landmarks_at
from tests.support.faceset import picture
from tests.support.judged import film_app

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MOMENT = Moment(1, 1, 3, "")


@pytest.fixture
def asked(tmp_path: Path) -> tuple[App, JudgedFilm, Face]:
    """A film of whose first moment people are asked to paint what covers the face of frame 2."""
    app, film = film_app(tmp_path / "ws")
    face = next(face for face in app.store.faces(Side.A) if face.frame_number == 2)
    _stands_at(app, face.box)
    add_moments(app.workspace, film.id, [MOMENT])
    media = show_moments(app, film, {MOMENT: Page.SCRIBBLE}, {})[MOMENT.number]
    batch = SwapBatch(
        "b-0001", "m", film.id, Page.SCRIBBLE.value, 1, 3, Decimal("0.05"), 60, (), NOW + timedelta(days=1), NOW
    )
    add_swap_batch(app.workspace, batch, {"b-0001-0001": {"t1": SwapTile(MOMENT.number, media)}})
    return app, film, face


def _stands_at(app: App, box: tuple[int, int, int, int]) -> None:
    path = app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    known = read_alignments(path).frames
    placed = {}
    for number in (1, 2, 3):
        name = f"clipa_{number:06d}.mp4"
        x, y, w, h = box
        marks = landmarks_at(80, 60, 30)
        placed[name] = FrameFaces([replace(known[name].faces[0], x=x, y=y, w=w, h=h, landmarks=marks)])
    write_alignments(path, Alignments({**known, **placed}), "v2.3")


@pytest.mark.parametrize("named", ["shot_{:04d}.png", "shot_{:06d}.png"])
def test_frames_of_a_folder_are_known_by_their_places(
    asked: tuple[App, JudgedFilm, Face], tmp_path: Path, named: str
) -> None:
    app, film, face = asked
    folder = tmp_path / "frames"
    folder.mkdir()
    names = [named.format(number) for number in range(1001, 1004)]
    for name in names:
        picture(1).save(folder / name)
    path = app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    known = read_alignments(path).frames["clipa_000002.mp4"]
    write_alignments(path, Alignments(dict.fromkeys(names, known)), "v2.3")
    of_folder = replace(film, source=replace(film.source, path=folder, kind="photos"))
    assert {number: one.box for number, one in largest_faces(app, of_folder).items()} == dict.fromkeys(
        (1, 2, 3), face.box
    )


def paint(app: App, film: JudgedFilm, *masks: NDArray[np.bool_]) -> None:
    """One worker's marks each."""
    votes = []
    for n, mask in enumerate(masks):
        bits = np.packbits(mask).tobytes().hex() if mask.any() else ""
        at = NOW + timedelta(seconds=n)
        votes.append(
            SwapVote(f"A{n}", "t1", "b-0001-0001", film.id, 1, MARKED, bits, f"W{n}", at, 20.0, "worker", False)
        )
    add_swap_votes(app.workspace, votes)


def upper() -> NDArray[np.bool_]:
    mask = np.zeros((GRID, GRID), bool)
    mask[: GRID // 2] = True
    return mask


def test_marks_of_most_lie_where_they_were_painted_on_the_canvas_of_that_face(
    asked: tuple[App, JudgedFilm, Face],
) -> None:
    app, film, face = asked
    told: list[str] = []
    assert painted_faces(app, told.append) == {}
    paint(app, film, upper(), upper(), ~upper())
    found = painted_faces(app, told.append)
    assert list(found) == [face.name]
    mask = mask_of(found[face.name])
    picture = scribbled_on(app, film, [MOMENT])[MOMENT.number]
    half = (picture.area[1] + picture.area[3]) / 2
    edge = (canvas_matrix(picture.face.landmarks, SIDE) @ [80, half, 1])[1]
    rows = mask.mean(axis=1)
    assert rows[: int(edge) - 1].min() > 0.5, "above the middle of what they saw"
    assert rows[int(edge) + 2 :].max() == 0
    assert told == []


def test_marks_on_a_picture_that_is_another_now_are_left_out_and_told(asked: tuple[App, JudgedFilm, Face]) -> None:
    app, film, face = asked
    paint(app, film, upper())
    x, y, w, h = face.box
    _stands_at(app, (x + 5, y, w, h))
    told: list[str] = []
    assert painted_faces(app, told.append) == {}
    assert "1 of 1 painted pictures of clipa-swapped.mp4 are not learnt" in told[0]


def test_a_face_on_which_nothing_was_painted_teaches_nothing(asked: tuple[App, JudgedFilm, Face]) -> None:
    app, film, _face = asked
    paint(app, film, ~np.ones((GRID, GRID), bool), ~np.ones((GRID, GRID), bool))
    assert painted_faces(app, lambda text: pytest.fail(text)) == {}
