"""Extract: which frames of which side are looked at, and what a source that cannot be read holds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from galloway.curation.types import Progress, Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import EngineError, ExtractRequest, ExtractResult, check_options
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.extract import extract
from galloway.pipeline.stages.ingest import ingest
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.records import note_extracted, sources
from PIL import Image


@dataclass
class Noting:
    """An engine that finds nothing and notes what it was asked; it cannot read what is called broken."""

    name: str = "noting"
    asked: list[ExtractRequest] = field(default_factory=list)

    def check_options(self, step: str, options: Mapping[str, str]) -> None:
        check_options(options, ("threshold",), f"The noting engine's {step}")

    def extract(self, request: ExtractRequest, _progress: Progress) -> ExtractResult:
        self.asked.append(request)
        if "broken" in request.source.name:
            raise EngineError(f"{request.source.name} breaks off")
        return ExtractResult(10, (), request.alignments)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    app = App(make_workspace(tmp_path / "swap")[0])
    for side, name in ((Side.A, "film"), (Side.A, "broken"), (Side.B, "takes")):
        clip = tmp_path / f"{name}.mp4"
        clip.write_bytes(name.encode())
        ingest(app, clip, side, person="", basis="own")
    monkeypatch.setattr(App, "engine", lambda _app, _name=None, _spread=None: engine)
    engine = Noting()
    app.noting = engine  # type: ignore[attr-defined]
    return app


def test_every_nth_thins_side_b_only(app: App) -> None:
    with pytest.raises(StageError):
        extract(app, every_nth=5)
    nth = {request.source.stem: request.every_nth for request in app.noting.asked}  # type: ignore[attr-defined]
    assert nth == {"film": 1, "broken": 1, "takes": 5}
    with pytest.raises(StageError, match="Thin side B instead"):
        extract(app, Side.A, every_nth=5)


@pytest.mark.parametrize(
    ("names", "nth"),
    [
        ([f"IMG_{number:04d}.png" for number in (12, 13, 19)], 1),
        ([f"take {number}.png" for number in range(12)], 1),
        (["ann.png", "me.png"], 1),
        ([f"film_{number:06d}.png" for number in range(1, 31)], 5),
    ],
)
def test_photographs_are_all_taken_but_frames_of_a_film_are_thinned(
    app: App, tmp_path: Path, names: list[str], nth: int
) -> None:
    (tmp_path / "photographs").mkdir()
    for number, name in enumerate(names):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "photographs" / name)
    ingest(app, tmp_path / "photographs", Side.B, person="", basis="own")
    with pytest.raises(StageError):
        extract(app, every_nth=5)
    asked = {request.source.stem: request.every_nth for request in app.noting.asked}  # type: ignore[attr-defined]
    assert asked["photographs"] == nth


def test_an_option_that_nobody_knows_is_refused_before_anything_is_looked_at(app: App) -> None:
    for _ in range(2):
        with pytest.raises(EngineError, match=r"no option 'bananas'\. It has: threshold"):
            extract(app, options={"bananas": "yes"})
        for source in sources(app.workspace):
            note_extracted(app.workspace, source, frames=10, faces=0, engine="noting")
    assert app.noting.asked == []  # type: ignore[attr-defined]


def test_a_source_that_breaks_off_holds_up_no_other(app: App) -> None:
    with pytest.raises(StageError, match=r"(?s)1 of 3 sources were not extracted.*broken: broken\.mp4 breaks off"):
        extract(app)
    assert {item.name: item.frames for item in sources(app.workspace)} == {"film": 10, "broken": None, "takes": 10}
    with pytest.raises(EngineError, match="breaks off"):
        extract(app)
