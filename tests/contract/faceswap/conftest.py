"""An engine on the stand-in of each line, a clip, and what was extracted and trained from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.engines.faceswap import FaceswapEngine

from tests.support.faceswap import LINES, extract_request, standin_engine, train_request
from tests.support.videos import sound_video


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(line: str, tmp_path: Path) -> Iterator[FaceswapEngine]:
    yield standin_engine(tmp_path, line)
    left = [path.name for path in (tmp_path / "run").glob("faceswap-*") if path.is_dir()]
    assert left == [], "a run left its shadow behind"
    assert not list((tmp_path / "home").rglob("*.log")) and not (tmp_path / "home" / "config").exists()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return sound_video(tmp_path / "clip.mp4")


@pytest.fixture
def extracted(engine: FaceswapEngine, clip: Path, tmp_path: Path) -> Path:
    engine.extract(extract_request(clip, tmp_path), no_progress)
    return clip


@pytest.fixture
def trained(engine: FaceswapEngine, extracted: Path, tmp_path: Path) -> Path:
    engine.train(train_request(tmp_path, iterations=2), lambda _event: None)
    return extracted
