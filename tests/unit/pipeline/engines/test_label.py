"""The visible label: when it stands, where, that it can be read, and that nothing else of a frame changes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.encodings import chosen_encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.label import Shown, area, draw
from galloway.pipeline.engines.pixels import ALIGNED

from tests.support.engines import a_picture, write_clip


def shown(numbers: list[int], rate: int = 25) -> list[int]:
    asked = Shown(Fraction(rate))
    return [number for number in numbers if asked.on(number)]


def test_it_stands_for_five_seconds_when_a_swapped_face_is_first_seen() -> None:
    assert shown(list(range(1, 1000))) == list(range(1, 126))
    assert shown(list(range(301, 400))) == list(range(301, 400))


def test_it_comes_again_after_a_break_and_once_a_minute() -> None:
    numbers = [*range(1, 200), *range(240, 300)]  # 40 frames without: no break of two seconds
    assert shown(numbers) == list(range(1, 126))
    numbers = [*range(1, 200), *range(251, 300)]
    assert shown(numbers) == [*range(1, 126), *range(251, 300)]
    assert shown(list(range(1, 1700)))[-1] == 1501 + 124


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (640, 360), (480, 854), (160, 120), (3840, 2160)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_it_is_inside_at_the_top_right_and_readable_on_any_ground(size: tuple[int, int], value: int) -> None:
    width, height = size
    left, top, right, bottom = area(width, height)
    assert left % ALIGNED == top % ALIGNED == 0
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    assert (left + right) / 2 >= width / 2 and (top + bottom) / 2 < height / 2
    ground = np.full((bottom - top, right - left, 3), value, np.uint8)
    with_it = draw(ground, width, height)
    # Letters and plate stand apart by more than WCAG's 4.5 to 1, whatever lies under them.
    bright, dark = (_luminance(float(np.percentile(with_it, at))) for at in (99.5, 20))
    assert (bright + 0.05) / (dark + 0.05) > 4.5
    assert (ground == value).all()


def _luminance(value: float) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("name", ["out.mkv", "frames"])
def test_only_changed_frames_carry_it_and_only_in_its_place(tmp_path: Path, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [a_picture(320, 192, seed) for seed in range(6)])
    source = open_source(clip)
    before = [frame.image for frame in source.read()]

    def change(frame):  # type: ignore[no-untyped-def]
        return frame.image.copy() if frame.number > 3 else None

    lossless = (
        chosen_encoding("ffv1", None, None, tmp_path / name)
        if name.endswith("mkv")
        else chosen_encoding(None, None, None, tmp_path / name)
    )
    rewrite(source, tmp_path / name, change, encoding=lossless, label=True)
    after = [frame.image for frame in open_source(tmp_path / name).read()]
    left, top, right, bottom = area(320, 192)
    for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
        apart = np.abs(old.astype(int) - new).max(axis=2)
        inside = apart[top:bottom, left:right].copy()
        apart[top:bottom, left:right] = 0
        assert apart.max() <= 6, number
        assert bool(inside.max() > 100) is (number > 3)
