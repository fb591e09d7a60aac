"""A crowd in the background is seen before it costs: by person, size and source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from galloway.curation.screen.identity import PersonGroup
from galloway.curation.screen.priors import Screening
from galloway.curation.types import Face, FaceId, Side
from galloway.pipeline.asking.crowd import persons_found
from galloway.pipeline.asking.screening import Screened, screen_side
from galloway.pipeline.cli.screen import _text

from tests.support.screen import workspace_with_faces


def _face(number: int, source: str, size: int) -> Face:
    return Face(
        FaceId(f"{number}"), Side.B, f"{number}.png", source, f"{source}.mp4", 0, number, (0, 0, size, size + 9)
    )


def _group(*members: int) -> PersonGroup:
    return PersonGroup(np.array(members, dtype=np.intp), len(members) / 8, np.zeros(128, np.float32))


def test_each_person_has_faces_size_sources_and_share() -> None:
    faces = [_face(n, "walk" if n < 5 else "shop", 200 if n < 5 else 20 + n) for n in range(8)]
    main, stranger = persons_found([_group(0, 1, 2, 3, 5), _group(6, 7, 4)], faces)
    assert (main.number, main.faces, main.size, main.sources, main.share) == (1, 5, 200, {"walk": 4, "shop": 1}, 5 / 8)
    assert (stranger.number, stranger.size, stranger.sources) == (2, 27, {"shop": 2, "walk": 1})
    assert str(stranger) == "person 2: 3 clear faces of 27 pixels, 38% (shop 2, walk 1)"


def test_strangers_are_told_after_screening_and_one_person_is_not() -> None:
    faces = [_face(n, "walk", 50) for n in range(4)]
    persons = persons_found([_group(0, 1), _group(2)], faces)
    crowd = Screened(Screening(Side.B, (), "main group"), {}, 0, None, persons)
    assert "person 2: 1 clear faces of 50 pixels, 25% (walk 1)" in _text("b", crowd, "each")
    assert [row["faces"] for row in crowd.as_dict()["persons"]] == [2, 1]
    alone = Screened(Screening(Side.B, (), "main group"), {}, 0, None, persons[:1])
    assert "person 1" not in _text("b", alone, "each")


def test_without_identity_nobody_is_told_apart(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 4})
    assert screen_side(app, Side.B, identity=False).persons == ()
