"""One suite for every engine: what a caller of `pipeline.engines.base.Engine` may rely on."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from galloway.curation.faceset.fsa.alignments import Alignments, read_alignments, write_alignments
from galloway.curation.faceset.png.headers import read_header
from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import (
    ConvertRequest,
    ConvertResult,
    Engine,
    EngineError,
    ExtractRequest,
    ExtractResult,
    FrameRange,
    Kept,
    TrainEvent,
    TrainRequest,
    TrainResult,
)
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.piece import cut_out

from tests.support.engines import ENGINES, EngineCase, filmed_frames, tree_digest, write_clip
from tests.support.faceswap import faceswap_cases

FRAMES = 26
"""faceswap trains on no fewer than 25 faces a side."""


class Bench:
    """An engine with two clips, and what is done with them on the way."""

    def __init__(self, root: Path, case: EngineCase) -> None:
        self.root, self.case = root, case
        self.engine: Engine = case.make(root / "engine")
        self.clips = {
            side: write_clip(root / "sources" / side / f"clip_{side}.mp4", filmed_frames(FRAMES, person))
            for side, person in (("a", "astronaut"), ("b", "hopper"))
        }

    def extract(self, side: str) -> ExtractResult:
        source = self.clips[side]
        with self.case.extract_options(source) as options:
            return self.engine.extract(self.extract_request(side, options), no_progress)

    def extract_request(self, side: str, options: dict[str, str]) -> ExtractRequest:
        source = self.clips[side]
        return ExtractRequest(
            source=source,
            faces_dir=self.root / side / "faces",
            alignments=self.root / side / f"{source.stem}_alignments.fsa",
            work_dir=self.root / "work",
            size=128,
            options=options,
        )

    def train(self, on_event: Callable[[TrainEvent], None], **changes: Any) -> TrainResult:
        settings: dict[str, Any] = {"iterations": 3, "save_every": 2, **self.case.train, **changes}
        request = TrainRequest(
            faces_a=self.root / "a" / "faces",
            faces_b=self.root / "b" / "faces",
            model_dir=self.root / "model",
            work_dir=self.root / "run",
            **settings,
        )
        return self.engine.train(request, on_event)

    def convert_request(self, name: str, **changes: Any) -> ConvertRequest:
        settings: dict[str, Any] = {
            "source": self.clips["a"],
            "alignments": self.root / "a" / "clip_a_alignments.fsa",
            "model_dir": self.root / "model",
            "output": self.root / "results" / name,
            "work_dir": self.root / "run",
            **changes,
        }
        return ConvertRequest(**settings)


@pytest.fixture(scope="module", params=(*ENGINES, *faceswap_cases()), ids=lambda case: case.name)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp(request.param.name)
    for side in "ab":
        (root / "sources" / side).mkdir(parents=True)
    bench = Bench(root, request.param)
    for side in "ab":
        bench.extract(side)
    bench.train(lambda _event: None)
    return bench


def test_it_says_what_it_is_and_how_to_mend_it(bench: Bench) -> None:
    report = bench.engine.check()
    assert report.engine == bench.engine.name
    assert report.usable
    assert all(check.ok or check.remedy for check in report.checks)


def test_faces_headers_and_alignments_are_faceswaps(bench: Bench) -> None:
    alignments = read_alignments(bench.root / "a" / "clip_a_alignments.fsa")
    names = sorted(path.name for path in (bench.root / "a" / "faces").glob("*.png"))
    assert names == [f"clip_a_{number:06d}_0.png" for number in range(1, FRAMES + 1)]
    for name in names:
        header = read_header(bench.root / "a" / "faces" / name)
        face = alignments.frames[header.source.source_filename].faces[header.source.face_index]
        assert header.source.source_is_video
        assert face.landmarks.shape == (68, 2)
        assert np.allclose(face.landmarks, header.alignment.landmarks, atol=0.5)


def test_extracting_twice_changes_nothing(bench: Bench) -> None:
    before = tree_digest(bench.root / "a")
    result = bench.extract("a")
    assert tree_digest(bench.root / "a") == before
    assert len(result.faces) == FRAMES


def test_a_source_that_is_not_there_is_an_engine_error(bench: Bench, tmp_path: Path) -> None:
    request = ExtractRequest(tmp_path / "no.mp4", tmp_path / "faces", tmp_path / "no.fsa", tmp_path / "work")
    with pytest.raises(EngineError, match=r"no\.mp4"):
        bench.engine.extract(request, no_progress)


def test_training_goes_on_and_tells_losses_and_saves(bench: Bench) -> None:
    events: list[TrainEvent] = []
    first = bench.train(events.append, iterations=2)
    second = bench.train(events.append, iterations=2)
    assert second.iterations == first.iterations + 2
    commands = [event for event in events if event.kind == "command"]
    assert [shlex.split(event.text) for event in commands] == [list(first.command), list(second.command)]
    assert bench.engine.versions()
    losses = [event for event in events if event.kind == "loss"]
    assert losses[-1].iteration == second.iterations
    assert all(event.loss_a is not None and event.loss_b is not None for event in losses)
    assert any(event.kind == "saved" for event in events)
    assert second.preview is not None
    assert second.preview.is_file()


def test_sigint_stops_after_a_save(bench: Bench) -> None:
    saved: list[int] = []
    sent: list[int] = []

    def interrupt(event: TrainEvent) -> None:
        if event.kind == "saved":
            saved.append(event.iteration)
        if event.kind == "loss" and not sent:
            sent.append(event.iteration)
            os.kill(os.getpid(), signal.SIGINT)

    result = bench.train(interrupt, iterations=500, save_every=1000)
    assert result.stopped == "interrupted"
    assert result.iterations >= sent[0]
    assert saved
    assert bench.train(lambda _event: None, iterations=2).iterations == result.iterations + 2


def test_a_converted_clip_keeps_frames_sound_and_skipped_parts(bench: Bench) -> None:
    request = bench.convert_request("swap.mp4", skip=(FrameRange(3, 5),), metadata={"comment": "a face swap"})
    result = bench.engine.convert(request, no_progress)
    assert (result.frames, result.has_sound) == (FRAMES, True)
    assert result.swapped == FRAMES - 3
    with av.open(str(result.output)) as container:
        assert container.metadata["comment"] == "a face swap"
    changed = []
    pairs = zip(open_source(bench.clips["a"]).read(), open_source(result.output).read(), strict=True)
    for before, after in pairs:
        difference = np.abs(before.image.astype(int) - after.image)
        changed.append(float(np.percentile(difference, 99)))
    assert max(changed[2:5]) < 0.5 * min(changed[:2] + changed[5:])
    assert result.spans == (FrameRange(1, 2), FrameRange(6, FRAMES))
    a_range_of_it_is_made_anew(bench, result)


def a_range_of_it_is_made_anew(bench: Bench, film: ConvertResult) -> None:
    """Only the range is drawn; what is swapped elsewhere stays so."""
    kept = Kept(film.output, (FrameRange(4, 8),), film.spans)
    request = bench.convert_request("again.mp4", ranges=kept.ranges, skip=(FrameRange(3, 3),), kept=kept)
    done = bench.engine.convert(request, no_progress)
    assert (done.frames, done.swapped, done.faces) == (FRAMES, FRAMES - 1, FRAMES - 1)
    assert done.spans == (FrameRange(1, 2), FrameRange(4, FRAMES))
    before, after = (list(open_source(path).read()) for path in (film.output, done.output))
    for number in (1, 2, 9, FRAMES):
        difference = np.abs(before[number - 1].image.astype(int) - after[number - 1].image)
        assert difference.mean() < 1.5, number


def test_a_stretch_is_converted_as_a_film_of_its_own(bench: Bench, tmp_path: Path) -> None:
    piece = cut_out(open_source(bench.clips["a"]), FrameRange(8, 13), tmp_path / "piece")
    known = read_alignments(bench.root / "a" / "clip_a_alignments.fsa")
    source = open_source(bench.clips["a"])
    frames = {piece.frame_name(number - 7): known.frames[source.frame_name(number)] for number in range(8, 14)}
    alignments = tmp_path / "piece.fsa"
    write_alignments(alignments, Alignments(frames, known.dialect, known.version))
    request = bench.convert_request(
        "glimpse.mp4", source=piece.path, alignments=alignments, side_by_side=tmp_path / "beside.mp4", work_dir=tmp_path
    )
    done = bench.engine.convert(request, no_progress)
    assert (done.frames, done.swapped) == (6, 6)
    assert sum(1 for _ in open_source(tmp_path / "beside.mp4").read()) == 6


def test_converting_without_a_model_names_the_next_command(bench: Bench, tmp_path: Path) -> None:
    request = bench.convert_request("none.mp4", model_dir=tmp_path / "empty")
    with pytest.raises(EngineError, match="galloway train"):
        bench.engine.convert(request, no_progress)
    assert not request.output.exists()
