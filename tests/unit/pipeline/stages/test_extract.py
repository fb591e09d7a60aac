"""Extract: which frames of which side are looked at, what a source that cannot be read holds up, and what becomes of
faces where it is done anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from galloway.curation.faceset.fsa.alignments import Alignments, FrameFaces, write_alignments
from galloway.curation.faceset.merging.merge import scan_faces
from galloway.curation.faceset.png.headers import write_png
from galloway.curation.types import Progress, Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import EngineError, ExtractRequest, ExtractResult, MadeOtherwise, check_options
from galloway.pipeline.errors import NothingToDo, StageError
from galloway.pipeline.stages.extract import extract
from galloway.pipeline.stages.ingest import ingest
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.records import note_extracted, sources
from PIL import Image

from tests.support.faceset import alignment, header, picture
from tests.support.votes import vote


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


@dataclass
class Cutting:
    """An engine that cuts one face out of each of so many frames, of the size that is asked for."""

    name: str = "cutting"
    frames: int = 3
    dies: bool = False

    def check_options(self, step: str, options: Mapping[str, str]) -> None:
        check_options(options, (), f"The cutting engine's {step}")

    def extract(self, request: ExtractRequest, _progress: Progress) -> ExtractResult:
        note = request.work_dir / "asked"
        asked = f"{request.size} {request.every_nth} {self.name}"
        numbers = range(1, self.frames + 1, request.every_nth)
        names = tuple(f"{request.source.stem}_{number:06d}_0.png" for number in numbers)
        if request.alignments.is_file() and note.read_text() == asked:
            return ExtractResult(self.frames, names, request.alignments)
        if request.alignments.is_file() and request.replaces is None:
            raise MadeOtherwise("made otherwise")
        for name in request.replaces or ():
            (request.faces_dir / name).unlink()
        found = Alignments()
        for number, name in zip(numbers, names, strict=True):
            face = alignment(number)
            found.frames[f"{request.source.stem}_{number:06d}.mp4"] = FrameFaces([face])
            key = f"{request.source.stem}_{number:06d}.mp4"
            write_png(request.faces_dir / name, picture(number, request.size), header(name, key, 0, face))
        write_alignments(request.alignments, found)
        note.write_text(asked)
        if self.dies:
            raise KeyboardInterrupt
        return ExtractResult(self.frames, names, request.alignments)


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """A workspace with three faces of side B, of 64 pixels."""
    app = App(make_workspace(tmp_path / "swap")[0])
    (tmp_path / "takes.mp4").write_bytes(b"takes")
    ingest(app, tmp_path / "takes.mp4", Side.B, person="", basis="own")
    monkeypatch.setattr(App, "engine", lambda _app, _name=None, _spread=None: engine)
    engine = Cutting()
    app.cutting = engine  # type: ignore[attr-defined]
    extract(app, Side.B, size=64, every_nth=1)
    return app


def ids_agree(app: App) -> list[str]:
    """The names of B's faces; each row's id is that of the picture under its name, and no picture is without a row."""
    scanned = {face.name: face.face_id for face in scan_faces(app.faceset_paths(Side.B))}
    assert {face.name: face.face_id for face in app.store.faces(Side.B)} == scanned
    return sorted(scanned)


def test_faces_that_are_cut_anew_have_new_rows_and_former_ones_go(cut: App) -> None:
    before = {face.face_id for face in cut.store.faces(Side.B)}
    (done,) = extract(cut, Side.B, size=32, every_nth=2, again=True)
    assert ids_agree(cut) == ["takes_000001_0.png", "takes_000003_0.png"]
    assert done.new == 2 and not before & cut.store.face_ids(Side.B)
    (again,) = extract(cut, Side.B, size=32, every_nth=2, again=True)
    assert (again.new, len(ids_agree(cut))) == (0, 2)


def test_where_people_voted_nothing_is_cut_anew(cut: App) -> None:
    face = cut.store.faces(Side.B)[0]
    cut.store.add_votes([vote(face.face_id, "w1", "keep")])
    before = {path: path.read_bytes() for path in cut.workspace.faces_dir(Side.B).iterdir()}
    with pytest.raises(EngineError, match=r"people gave 1 vote on its faces.*remove --side b takes --with-votes"):
        extract(cut, Side.B, size=32, again=True)
    assert {path: path.read_bytes() for path in cut.workspace.faces_dir(Side.B).iterdir()} == before
    assert len(ids_agree(cut)) == 3 and cut.store.count_votes() == 1
    assert extract(cut, Side.B, size=64, every_nth=1, again=True)[0].new == 0, "the same settings change nothing"


def test_where_a_picture_was_changed_or_taken_out_by_hand_nothing_is_cut_anew(cut: App) -> None:
    folder = cut.workspace.faces_dir(Side.B)
    kept = (folder / "takes_000002_0.png").read_bytes()
    (folder / "takes_000002_0.png").unlink()
    with pytest.raises(EngineError, match=r"1 picture of it were changed or deleted by hand, such as takes_000002_0"):
        extract(cut, Side.B, size=32, again=True)
    (folder / "takes_000002_0.png").write_bytes(kept)
    extract(cut, Side.B, size=32, again=True)
    ids_agree(cut)


def test_killed_between_new_faces_and_their_rows_the_next_extraction_ends_it(cut: App) -> None:
    cut.cutting.dies = True  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        extract(cut, Side.B, size=32, every_nth=1, again=True)
    cut.cutting.dies = False  # type: ignore[attr-defined]
    extract(cut, Side.B, size=32, every_nth=1)
    assert len(ids_agree(cut)) == 3
    with pytest.raises(NothingToDo):
        extract(cut, Side.B)
