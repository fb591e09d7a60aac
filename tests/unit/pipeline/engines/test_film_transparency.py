"""What shines through a film shines through the result, also under what was swapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.label import area
from PIL import Image

from tests.support.films import kept, raw, swapped
from tests.support.videos import ffmpeg

pytestmark = pytest.mark.ffprobe

GLASS = "testsrc2=size=160x120:rate=25:duration=0.2,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='X'"


def test_transparency_of_packed_pixels_stays_where_the_result_holds_any(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    ffmpeg("-f", "lavfi", "-i", GLASS, "-c:v", "png", "-pix_fmt", "rgba", clip)
    out, other = tmp_path / "out.mkv", tmp_path / "out.mp4"
    assert rewrite(open_source(clip), out, kept, encoding=Encoding("ffv1")).left_out == ()
    assert np.array_equal(raw(clip, "rgba"), raw(out, "rgba"))
    assert any("transparency" in note for note in rewrite(open_source(clip), other, kept).left_out)


@pytest.mark.parametrize("stored", ["rgba", "yuva444p10le", "yuva420p"])
@pytest.mark.parametrize(("codec", "ending"), [("ffv1", ".mkv"), ("prores", ".mov"), ("png", ".mov")])
def test_transparency_stays_also_under_what_was_swapped(tmp_path: Path, stored: str, codec: str, ending: str) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / f"out{ending}"
    coder = "png" if stored == "rgba" else "ffv1"
    ffmpeg("-f", "lavfi", "-i", GLASS, "-pix_fmt", stored, "-c:v", coder, clip)
    made = rewrite(open_source(clip), out, swapped, encoding=Encoding(codec))
    assert not any("transparency" in note for note in made.left_out)
    old, new = (raw(path, "rgba").reshape(5, 120, 160, 4) for path in (clip, out))
    assert np.abs(old[..., 3].astype(int) - new[..., 3]).max() <= 1
    assert np.abs(new[1, 60, 70, :3].astype(int) - (20, 220, 20)).max() <= 8, "the swap itself is there"


@pytest.mark.parametrize("stored", ["rgba", "yuva444p10le"])
def test_pictures_keep_the_transparency_of_a_video(tmp_path: Path, stored: str) -> None:
    clip, folder = tmp_path / "clip.mkv", tmp_path / "frames"
    ffmpeg("-f", "lavfi", "-i", GLASS, "-pix_fmt", stored, "-c:v", "png" if stored == "rgba" else "ffv1", clip)
    made = rewrite(open_source(clip), folder, swapped, encoding=Encoding("png"), label=True)
    assert not any("transparency" in note for note in made.left_out)
    left, top, right, bottom = area(160, 120)
    for number, (name, old) in enumerate(zip(sorted(folder.iterdir()), raw(clip, "rgba"), strict=True), start=1):
        with Image.open(name) as picture:
            clear, before = np.asarray(picture.getchannel("A")).astype(int), old.reshape(120, 160, 4)[..., 3]
        assert np.abs(clear - before)[60:].max() <= 1
        assert (clear[top:bottom, left:right] == 255).mean() > 0.5 or number != 2, "the label is seen"


def test_the_label_is_seen_where_the_film_is_transparent(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / "out.mkv"
    ffmpeg("-f", "lavfi", "-i", GLASS.replace("a='X'", "a=0"), "-pix_fmt", "rgba", "-c:v", "png", clip)
    rewrite(open_source(clip), out, swapped, encoding=Encoding("ffv1"), label=True)
    left, top, right, bottom = area(160, 120)
    clear = raw(out, "rgba").reshape(5, 120, 160, 4)[..., 3]
    assert not clear[0].any() and not clear[1, 60, 70]
    assert (clear[1, top:bottom, left:right] == 255).mean() > 0.5
