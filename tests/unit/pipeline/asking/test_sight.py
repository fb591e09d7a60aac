"""What faces look like is found out once. Faces said to be the same change the distances without another look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from galloway.curation.screen.crops import Crop
from galloway.curation.screen.observe import Observation
from galloway.curation.screen.pixels import Measures
from galloway.curation.types import FaceId, Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.persons import crowd_of
from galloway.pipeline.asking.sight import look_at, seen, unseen
from PIL import Image

from tests.support.screen import workspace_with_faces

ANN, BEN = np.eye(128, dtype=np.float32)[:2]


def observed(crop: Crop, place: int) -> Observation:
    """The first three faces are one person, the others another."""
    vector = (ANN if place < 3 else BEN) + np.float32(0.01 * place)
    measures = Measures(1.0 + place, 0.5, 0.5, 0.0, 0.1, place)
    return Observation(crop.face_id, "clip", place, 60.0, measures, 0.0, 0.0, 0.0, 0.0, 0.0, vector)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """Eight faces and a photograph as unlike one person as the other."""
    app = workspace_with_faces(tmp_path / "w", {Side.B: 8})
    folder = app.workspace.references_dir(Side.B)
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "navy").save(folder / "ann.jpg")
    monkeypatch.setattr("galloway.pipeline.asking.sight.embedder_available", lambda: True)
    monkeypatch.setattr("galloway.pipeline.asking.sight.reference_vectors", lambda _files: (ANN + BEN)[None] / 2)
    return app


def test_the_same_faces_are_looked_at_once_and_compared_anew(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    same: list[FaceId] = []

    def observe(crops: Sequence[Crop], **_options: Any) -> list[Observation]:
        looks.append(len(crops))
        return [observed(crop, place) for place, crop in enumerate(crops)]

    monkeypatch.setattr("galloway.pipeline.asking.sight.observe_crops", observe)
    monkeypatch.setattr("galloway.pipeline.asking.sight.confirmed", lambda _app, _side: same)
    monkeypatch.setenv("GALLOWAY_ASK__METHOD", "auto")
    assert unseen(App(app.workspace)) == 0, "this workspace teaches no model"
    look_at(app, Side.B)
    before = seen(app, Side.B)
    crowd = crowd_of(app, Side.B)
    assert before is not None and before.features.distance is not None and crowd is not None
    assert crowd.fits_nobody, "a photograph between two persons"
    same.append(before.faces[0])
    look_at(app, Side.B)
    after = seen(app, Side.B)
    crowd = crowd_of(app, Side.B)
    assert after is not None and after.features.distance is not None and crowd is not None
    assert looks == [8], "nothing was looked at again"
    assert after.features.distance[0] == 0
    assert (after.features.distance[:3] < 0.3).all()
    assert np.allclose(after.features.distance[3:], before.features.distance[3:]), "the photograph still counts"
    assert np.array_equal(after.features.matrix[:, :-1], before.features.matrix[:, :-1])
    assert [person.fits is not None and person.fits > 0.95 for person in crowd.persons] == [False, True]
    same.clear()
    look_at(app, Side.B)
    again = seen(app, Side.B)
    assert again is not None and np.allclose(again.features.matrix, before.features.matrix), "what was taken back"
    assert looks == [8]
