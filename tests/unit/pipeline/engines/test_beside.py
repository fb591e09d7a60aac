"""What people look at afterwards is the result as it was written, in the sheet as in the film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.engines.beside import SHEET_FRAMES, sheet_numbers, show_beside
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from PIL import Image

from tests.support.engines import write_clip

SIZE = [(64, 48), (63, 47)]


def plain(width: int, height: int, values: list[int]) -> list[np.ndarray]:
    return [np.full((height, width, 3), value, np.uint8) for value in values]


@pytest.mark.parametrize("size", SIZE)
@pytest.mark.parametrize("film", [True, False])
def test_sheet_and_film_show_the_same_frames_of_the_result(tmp_path: Path, size: tuple[int, int], film: bool) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4", plain(*size, [20, 40, 60, 80, 100])))
    result = write_clip(tmp_path / "result.mp4", plain(*size, [220, 200, 180, 160, 140]))
    side, sheet = tmp_path / "side.mp4", tmp_path / "sheet.png"
    show_beside(source, result, {2, 4}, side if film else None, sheet, no_progress)
    with Image.open(sheet) as opened:
        shown = np.asarray(opened.convert("RGB")).astype(int)
    tiles = [shown[22 + 60, 100], shown[22 + 320, 100], shown[22 + 60, 424], shown[22 + 320, 424]]
    assert np.abs(np.array(tiles) - np.array([40, 200, 80, 160])[:, None]).max() <= 4
    assert side.exists() is film
    if film:
        frames = [frame.image.astype(int) for frame in open_source(side).read()]
        halves = [(frame[20, 20, 0], frame[20, size[0] + 20, 0]) for frame in frames]
        assert np.abs(np.array(halves) - [(20 * n, 240 - 20 * n) for n in range(1, 6)]).max() <= 4


@pytest.mark.parametrize("ending", ["", ".mp4"])
def test_pictures_of_different_sizes_stand_beside_theirs(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, size, value in (("a", (64, 48), 20), ("b", (70, 96), 120)):
        Image.fromarray(np.full((size[1], size[0], 3), value, np.uint8)).save(folder / f"{name}.png")
    source = open_source(folder)
    result = tmp_path / f"result{ending}"
    rewrite(source, result, lambda frame: frame.image // 2, metadata=METADATA)
    side, sheet = tmp_path / "side.mp4", tmp_path / "sheet.png"
    show_beside(source, result, {1, 2}, side, sheet, no_progress)
    frames = [frame.image.astype(int) for frame in open_source(side).read()]
    middles = [(frame[24, 32, 0], frame[24, 64 + 32, 0]) for frame in frames]
    assert np.abs(np.array(middles) - [(20, 10), (120, 60)]).max() <= 4
    assert sheet.is_file()


def test_the_sheet_is_spread_over_what_was_swapped() -> None:
    assert sheet_numbers([]) == frozenset()
    assert sheet_numbers([7, 3]) == {3, 7}
    chosen = sheet_numbers(range(100, 200))
    assert len(chosen) == SHEET_FRAMES
    assert {100, 199} <= chosen
