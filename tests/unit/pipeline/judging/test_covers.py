"""Which faces of the footage are painted before anything is trained, and that training learns what was painted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import Alignments, read_alignments, write_alignments
from galloway.curation.types import Face, Side
from galloway.pipeline.app import App
from galloway.pipeline.errors import NothingToDo, StageError
from galloway.pipeline.judging.alone import answer_own, next_own, own_page, paint_again
from galloway.pipeline.judging.covers import covered_footage, faces_to_paint, footage_to_paint, typical
from galloway.pipeline.judging.film import find_footage
from galloway.pipeline.judging.outcome import cover_masks
from galloway.pipeline.judging.painted import painted_faces
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.workspace.judged import add_swap_votes, asked_films, swap_votes

from tests.support.faces import make_vote
from tests.support.judged import call_covered, film_app


@pytest.fixture
def covered(tmp_path: Path) -> tuple[App, list[Face]]:
    app, _film = film_app(tmp_path / "ws")
    return app, call_covered(app)


def paint_all(app: App, word: str = "marked") -> int:
    """Answer every page as one person; how many there were."""
    film = footage_to_paint(app)
    for number in range(20):
        try:
            page = next_own(app, film, "Ann")
        except NothingToDo as nothing:
            assert "Next: galloway train" in str(nothing)
            return number
        fields = {f"moment.{key}": word for key in page.tiles}
        if word == "marked":
            fields |= {f"cell.{key}.5.5": "on" for key in page.tiles}
        answer_own(app, film, "Ann", page.key, fields)
    raise AssertionError("it never ends")


def test_who_stands_for_most_comes_first_and_what_is_there_counts() -> None:
    points = np.array([[0.0], [1.0], [2.0], [100.0], [101.0], [103.0], [500.0]])
    assert typical(points, 3) == [3, 6, 1], "the middle, then what is farthest from all that is chosen, then the rest"
    assert typical(points, 1, before=[1, 6]) == [4]
    assert sorted(typical(points, 99)) == list(range(7))
    assert typical(points, 1, before=[1, 6], among=[0, 2, 5]) == [5]
    assert typical(points, 99, before=list(range(7))) == []


def test_what_one_person_paints_on_the_footage_is_learnt_without_any_film(covered: tuple[App, list[Face]]) -> None:
    app, faces = covered
    (before,) = covered_footage(app)
    assert (len(before.faces), before.painted, before.lacking, before.urgent) == (len(faces), 0, len(faces), True)
    assert paint_all(app) == -(-len(faces) // 2)
    found = painted_faces(app, lambda text: pytest.fail(text))
    assert set(found) == {face.name for face in faces}
    (after,) = covered_footage(app)
    assert (after.painted, after.lacking, after.urgent) == (len(faces), 0, False)


def test_faces_that_nothing_covers_after_all_are_not_asked_twice_nor_learnt(covered: tuple[App, list[Face]]) -> None:
    app, faces = covered
    film = footage_to_paint(app)
    assert paint_all(app, "nothing") == -(-len(faces) // 2)
    assert {vote.moment for vote in swap_votes(app.workspace, film.id)} == {face.frame_number for face in faces}
    assert painted_faces(app, lambda text: pytest.fail(text)) == {}
    (after,) = covered_footage(app)
    assert (after.painted, after.lacking, after.urgent) == (0, 0, False), "nobody is asked for what is not there"


def test_a_face_is_painted_again_and_the_last_word_counts(covered: tuple[App, list[Face]]) -> None:
    app, faces = covered
    film, frame = footage_to_paint(app), faces[0].frame_number or 0
    with pytest.raises(StageError, match=f"Nobody painted on frame {frame}"):
        paint_again(app, film, "Ann", frame)
    paint_all(app)
    crowd = [vote for vote in swap_votes(app.workspace, film.id) if vote.moment == frame]
    others = [replace(crowd[0], assignment_id=f"w{n}", worker_id=f"w{n}", kind="worker") for n in range(3)]
    add_swap_votes(app.workspace, others)

    def cells() -> list[tuple[int, int]]:
        (mask,) = [item.mask for item in cover_masks(app, film) if item.first == frame]
        return [(int(row), int(column)) for row, column in np.argwhere(mask)]

    before = cells()
    key = paint_again(app, film, "Bob", frame)
    assert paint_again(app, film, "Bob", frame) == key, "asked twice, it is one page"
    assert cells() == before, "until it is answered what is painted stays"
    (tile,) = own_page(app, film, "Bob", key).tiles
    answer_own(app, film, "Bob", key, {f"moment.{tile}": "marked", f"cell.{tile}.7.8": "on"})
    assert {(row // 4, column // 4) for row, column in cells()} == {(7, 8)}, (
        "neither three workers nor who painted first"
    )
    key = paint_again(app, film, "Ann", frame)
    (tile,) = own_page(app, film, "Ann", key).tiles
    answer_own(app, film, "Ann", key, {f"moment.{tile}": "nothing"})
    assert cells() == []
    with pytest.raises(StageError, match="There is no page"):
        own_page(app, film, "Bob", key)


def test_only_the_largest_face_of_a_frame_is_painted(covered: tuple[App, list[Face]]) -> None:
    app, faces = covered
    smaller = [face for face in app.store.faces(Side.A) if face.face_index == 1]
    assert smaller
    app.store.add_votes([make_vote(face, "reject", "A1", reason="covered") for face in smaller])
    frames = {moment.number for moment in faces_to_paint(app, footage_to_paint(app))}
    assert frames == {face.frame_number for face in faces}


def test_footage_is_found_by_its_name_and_nothing_else(covered: tuple[App, list[Face]]) -> None:
    app, _faces = covered
    film = footage_to_paint(app, "clipa")
    assert (film.swapped, film.key) == (False, "footage:clipa")
    assert find_footage(app, film.key) == film
    assert find_footage(app, "clipa-swapped.mp4") is None
    with pytest.raises(StageError, match=r"no video clipb\. Its videos: clipa"):
        footage_to_paint(app, "clipb")


def test_where_nobody_calls_a_face_covered_there_is_nothing_to_paint(tmp_path: Path) -> None:
    app, _film = film_app(tmp_path / "ws")
    with pytest.raises(NothingToDo, match="called covered, so there is nothing to paint"):
        footage_to_paint(app)
    with pytest.raises(NothingToDo, match=r"No face of clipa\.mp4 is called covered"):
        faces_to_paint(app, footage_to_paint(app, "clipa"))


def test_footage_that_goes_takes_what_was_painted_along(covered: tuple[App, list[Face]]) -> None:
    app, _faces = covered
    paint_all(app)
    film = footage_to_paint(app)
    assert film.id in asked_films(app.workspace)
    remove_source(app, plan_removal(app, Side.A, "clipa"), with_votes=True)
    assert film.id not in asked_films(app.workspace)
    assert swap_votes(app.workspace, film.id) == []


def test_marks_on_footage_whose_faces_changed_are_not_learnt(covered: tuple[App, list[Face]]) -> None:
    app, faces = covered
    paint_all(app)
    path = app.workspace.alignments_dir(Side.A) / "clipa_alignments.fsa"
    known = read_alignments(path).frames
    write_alignments(path, Alignments({name: frame for name, frame in known.items() if "000001" not in name}), "v2.3")
    told: list[str] = []
    assert len(painted_faces(app, told.append)) == len(faces) - 1
    assert told
