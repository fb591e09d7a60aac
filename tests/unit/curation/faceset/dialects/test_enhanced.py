"""Faces that another program enhanced, sorted or saved otherwise come in, each for itself and no other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.faceset.crop_sizes import crop_sizes
from galloway.curation.faceset.dialects.imports import import_pictures
from galloway.curation.faceset.fsa.alignments import write_alignments
from galloway.curation.faceset.index import FacesetPaths
from galloway.curation.faceset.png.types import Alignments, FaceAlignment, FrameFaces
from galloway.curation.faceset.verify import verify
from galloway.curation.types import Side
from PIL import Image, ImageFilter


def _landmarks(number: int) -> np.ndarray:
    return np.full((68, 2), number, np.float32)


def _still(number: int) -> Image.Image:
    """A film's neighbours: alike but for a little noise, so that no likeness tells one from the other."""
    blocks = np.random.default_rng(0).uniform(40, 215, (6, 6)).astype(np.uint8)
    scene = np.asarray(Image.fromarray(blocks).resize((96, 96), Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(number).normal(0, 2, (96, 96))
    return Image.fromarray(np.clip(scene + noise, 0, 255).astype(np.uint8)).convert("RGB")


@pytest.fixture
def known() -> Alignments:
    frames = {}
    for number in range(1, 7):
        stream = io.BytesIO()
        _still(number).save(stream, "JPEG", quality=60)
        frames[f"clip_{number:06d}.mp4"] = FrameFaces(
            [FaceAlignment(1, 2, 30, 40, _landmarks(number), thumb=stream.getvalue())]
        )
    return Alignments(frames)


NAMES = (
    "clip_000001_0.webp",
    "clip_000002_0_out.png",
    "sharp/clip_000003_0-gigapixel-scale-2_00x.png",
    "sharp/clip_000004_0.JPG",
    "sharp/deeper/clip_000005_0_00.png",
    "sharp/deeper/renamed.png",
)


def test_enhanced_faces_keep_their_frames_and_renamed_ones_are_named(known: Alignments, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES, start=1):
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _still(number).resize((192, 192)).filter(ImageFilter.UnsharpMask(2, 150)).save(path)
    done = import_pictures(tmp_path / "faces", tmp_path / "out", known=known)
    assert done.faces == {"name": [f"clip_{number:06d}_0.png" for number in range(1, 6)]}
    assert done.unknown == ["sharp/deeper/renamed.png"]
    assert any("sub-folders (sharp, sharp/deeper)" in line for line in done.warnings)
    out = tmp_path / "out"
    assert done.alignments is not None
    paths = FacesetPaths(Side.B, out / "faces", out / "alignments", out / "m", out / "r", done.alignments)
    assert verify(paths) == []


def test_a_place_that_a_frame_does_not_have_is_no_name(known: Alignments, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    _still(1).save(tmp_path / "faces" / "clip_000001_7_out.png")
    assert import_pictures(tmp_path / "faces", tmp_path / "out", known=known).unknown == ["clip_000001_7_out.png"]


def test_pictures_without_headers_are_said_with_the_command_that_takes_them_in(
    known: Alignments, tmp_path: Path
) -> None:
    faces, file = tmp_path / "my faces", tmp_path / "clip_alignments.fsa"
    faces.mkdir()
    write_alignments(file, known, "v2.3")
    for number in (1, 2):
        _still(number).save(faces / f"clip_{number:06d}_0.{('webp', 'png')[number % 2]}")
    paths = FacesetPaths(Side.B, faces, tmp_path, tmp_path / "m", tmp_path / "r", file)
    said = {problem.kind: problem for problem in verify(paths)}["unusable"]
    assert said.names == ("clip_000001_0.png", "clip_000002_0.webp")
    assert said.remedy == f"galloway faceset import '{faces}' --alignments {file} -o NEW"


def test_odd_sizes_are_listed_with_how_they_are_set_aside(tmp_path: Path) -> None:
    for name, size in (("a", (64, 64)), ("b", (64, 64)), ("c", (32, 32)), ("d", (64, 40))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    found = crop_sizes(tmp_path, ["a.png", "b.png", "c.png", "d.png"])
    assert found.odd == ("c.png", "d.png")
    assert all(f"galloway faceset odd-sizes --faces {tmp_path} --output move" in line for line in found.sentences())
    assert crop_sizes(tmp_path, ["a.png"]).sentences() == ()
