"""The mark in the pixels: read after encoding anew, scaling and cropping; not seen; only where a face was swapped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from galloway.pipeline.engines.encodings import chosen_encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.provenance.mark import read_mark
from numpy.typing import NDArray
from scipy import ndimage

from tests.support.engines import write_clip

PAYLOAD = 0xC0FFEE1234
Picture = NDArray[np.uint8]


def scene(width: int, height: int, frames: int, seed: int = 1) -> list[Picture]:
    """A room with soft and rough parts, and somebody's head in it that moves about; the camera's noise is on all."""
    rng = np.random.default_rng(seed)
    soft = sum(ndimage.zoom(rng.normal(0, 1, (n, n)), (height / n, width / n), order=1) for n in (3, 6, 30))
    room = np.clip(120 + 22 * np.asarray(soft)[..., None] + rng.normal(0, 8, 3), 0, 255)
    noise = [rng.normal(0, 2, (height, width, 1)) for _ in range(5)]
    down, across = np.mgrid[:height, :width]
    made = []
    for number in range(frames):
        middle = width * (0.5 + 0.1 * np.sin(number / 9)), height * 0.45
        head = ((across - middle[0]) / width) ** 2 * 3 + ((down - middle[1]) / height) ** 2 < 0.06
        shown = np.where(head[..., None], (190, 150, 130), room) + noise[number % 5]
        made.append(np.clip(shown, 0, 255).astype(np.uint8))
    return made


def darker(frame: Frame) -> Picture:
    """Something that changes a frame: a patch in its middle."""
    made = frame.image.copy()
    height, width = made.shape[:2]
    made[height // 3 : height // 2, width // 3 : width // 2] //= 2
    return made


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marked")
    clip = write_clip(folder / "clip.mp4", scene(768, 432, 24))
    rewrite(open_source(clip), folder / "film.mp4", darker, encoding=encoding(folder / "film.mp4"), mark=PAYLOAD)
    return folder / "film.mp4"


def encoding(output: Path, crf: int | None = None):  # type: ignore[no-untyped-def]
    return chosen_encoding(None, crf, None, output)


def anew(film: Path, target: Path, filters: str, crf: int = 28) -> Path:
    subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(film), "-vf", filters, "-c:v", "libx264",
            "-preset", "veryfast", "-crf", str(crf), str(target),
        ],
        check=True,
    )  # fmt: skip
    return target


def test_it_is_read_from_the_film_itself(film: Path) -> None:
    assert read_mark(film) == PAYLOAD


@pytest.mark.parametrize(
    "filters",
    ["null", "scale=-2:288", "crop=iw*0.9:ih*0.9", "crop=iw*0.9:ih*0.9:8:4,scale=512:-2", "scale=900:-2"],
)
def test_it_outlives_encoding_scaling_and_cropping(film: Path, tmp_path: Path, filters: str) -> None:
    assert read_mark(anew(film, tmp_path / "anew.mp4", filters)) == PAYLOAD


@pytest.mark.parametrize("name", ["film.mkv", "frames"])
def test_nobody_sees_it_and_frames_that_stay_stay(tmp_path: Path, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", scene(640, 360, 6))
    output = tmp_path / name
    rewrite(
        open_source(clip), output, lambda frame: frame.native if frame.number > 3 else None,
        encoding=encoding(output, 0 if "." in name else None), mark=PAYLOAD,
    )  # fmt: skip
    for before, after in zip(open_source(clip).read(), open_source(output).read(), strict=True):
        apart = before.image.astype(float) - after.image
        if after.number <= 3:
            assert not apart.any()
            continue
        ratio = 10 * np.log10(255**2 / (apart**2).mean())
        assert 42 < ratio < 52, "seen, or not there"
        assert abs(apart).max() <= 8


def test_a_film_in_which_the_swap_comes_late_and_briefly_is_read(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", scene(512, 288, 220), rate=Fraction(30))
    film = tmp_path / "film.mp4"
    rewrite(
        open_source(clip), film, lambda frame: darker(frame) if frame.number > 120 else None,
        encoding=encoding(film), mark=PAYLOAD,
    )  # fmt: skip
    assert read_mark(film) == PAYLOAD


def bricks(width: int, height: int, frames: int) -> list[Picture]:
    """A wall that repeats itself, as a tile does."""
    brick = np.pad(np.full((14, 30), 170, np.uint8), 1, constant_values=90)
    return [np.tile(brick, (height // 16 + 1, width // 32 + 1))[:height, :width, None].repeat(3, 2)] * frames


@pytest.mark.parametrize("make", [scene, bricks])
def test_what_carries_none_has_none(tmp_path: Path, make: Callable[[int, int, int], list[Picture]]) -> None:
    assert read_mark(write_clip(tmp_path / "clip.mp4", make(640, 360, 12))) is None


def test_pictures_too_small_for_a_tile_are_no_error(tmp_path: Path) -> None:
    assert read_mark(write_clip(tmp_path / "clip.mp4", scene(64, 48, 4))) is None
