"""Parts of a frame: looked at and replaced without touching the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.frames import Frame, Part, open_source
from galloway.pipeline.engines.pixels import to_rgb

from tests.support.videos import ffmpeg

STORED = ["yuv420p", "yuv422p10le", "yuv444p", "yuv411p", "gbrp", "gray"]


def a_frame(folder: Path, stored: str, size: str = "152x118") -> Frame:
    clip = folder / f"{stored}.mkv"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.08"]
    ffmpeg(*picture, "-vf", f"scale={size.replace('x', ':')}", "-pix_fmt", stored, "-c:v", "ffv1", clip)
    return next(open_source(clip).read())


@pytest.mark.parametrize("stored", STORED)
def test_a_part_shows_what_the_whole_picture_shows_there(tmp_path: Path, stored: str) -> None:
    frame = a_frame(tmp_path, stored)
    part = frame.part(32, 16, 112, 96)
    whole = to_rgb(frame.native)[16:96, 32:112]
    assert part.shape == whole.shape
    assert np.array_equal(part[8:-8, 8:-8], whole[8:-8, 8:-8])


@pytest.mark.parametrize("stored", STORED)
def test_replacing_a_part_leaves_every_other_sample(tmp_path: Path, stored: str) -> None:
    frame = a_frame(tmp_path, stored)
    before = frame.image.copy()
    part = frame.part(32, 16, 112, 96)
    after = part.copy()
    after[24:56, 24:56] = 255 - after[24:56, 24:56]
    made = frame.with_parts([Part(32, 16, part, after)])
    image = to_rgb(made)
    there = np.s_[48:64, 64:80]
    assert np.abs(image[there].astype(int) - before[there]).max() > 40
    outside = np.ones(image.shape[:2], bool)
    outside[36:76, 48:92] = False
    assert np.array_equal(image[outside], before[outside])
    assert np.array_equal(to_rgb(frame.native), before), "the frame itself stays: decoders look back at it"


def test_parts_at_the_edges_of_an_odd_size(tmp_path: Path) -> None:
    frame = a_frame(tmp_path, "yuv420p", "153x119")
    part = frame.part(96, 64, 153, 119)
    # swscale lays half a sample of colour elsewhere in a picture of odd size.
    assert np.abs(part[8:, 8:].astype(int) - frame.image[72:, 104:]).mean() < 8
    image = to_rgb(frame.with_parts([Part(96, 64, part, np.full_like(part, 30))]))
    assert np.abs(image[70:, 102:].astype(int) - 30).max() <= 2
    assert np.array_equal(image[:62, :94], frame.image[:62, :94])


def test_a_picture_with_parts_mixes_no_colours(tmp_path: Path) -> None:
    frame = a_frame(tmp_path, "yuv420p")
    part = frame.part(32, 16, 112, 96)
    after = part.copy()
    after[21:54, 21:54] = (250, 10, 10)
    image = frame.with_parts([Part(32, 16, part, after)], picture=True)
    assert (image[37:70, 53:86] == (250, 10, 10)).all()
    image[37:70, 53:86] = frame.image[37:70, 53:86]
    assert np.array_equal(image, frame.image)
