"""Facesets of any size for `bench/merge.py`, as each faceswap line writes them, made in about 0.15 ms a face.

What is as in life: headers (length, order, checksum) with each face's own name, frame, place and box; alignments of one
entry per face, pickled by Python's own pickler with the module names of each line's NumPy, so that opcodes, memo and
FRAMEs lie where they do in faceswap's files; two masks a face for v2.3.0, lists and no masks for master.

What is not: a picture has 40 pixels instead of 512 (a merge reads only the head of a PNG, faceswap's job too; whole
ones are read where a face is renumbered). There are 32 different pictures, landmark shapes, masks and thumbnails, in
turn: further apart than zlib's window, so nothing compresses better for it. The alignments are compressed by igzip, or
by zlib, at level 1 instead of zlib's 6: 2 % larger.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import sys
import zlib
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_header
from PIL import Image

__all__ = ["copy", "generate"]

_SHAPES = 32
_THUMB = 2000
"""Bytes of a thumbnail, which is a JPEG."""


def _picture(rng: np.random.Generator) -> bytes:
    """A 40-pixel PNG of about 4 KB."""
    stream = io.BytesIO()
    pixels = rng.integers(90, 150, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _mask(rng: np.random.Generator) -> dict[str, Any]:
    rows, columns = np.mgrid[:128, :128]
    a, b = rng.uniform(40, 60, 2)
    inside = ((rows - 64) / a) ** 2 + ((columns - 64) / b) ** 2 < 1
    return {
        "mask": zlib.compress((inside * 255).astype(np.uint8).tobytes()),
        "affine_matrix": rng.random((2, 3)),
        "interpolator": 3,
        "stored_size": 128,
        "stored_centering": "face",
    }


class _Shape:
    """What faces share by turns: picture, landmarks, masks, thumbnail, and the middle of their header's text."""

    def __init__(self, rng: np.random.Generator, v3: bool) -> None:
        self.v3 = v3
        self.png = _picture(rng)
        self.points = (rng.random((68, 2)) * 300 + 100).astype(np.float32)
        self.masks = {} if v3 else {"components": _mask(rng), "extended": _mask(rng)}
        thumb = rng.integers(0, 256, _THUMB).astype(np.uint8)
        self.thumb: Any = thumb.tolist() if v3 else thumb
        masks = {name: {**mask, "affine_matrix": mask["affine_matrix"].tolist()} for name, mask in self.masks.items()}
        self.rows = self.points.tolist()
        self.text = f"'landmarks_xy': {self.rows}, 'mask': {masks}, 'identity': {{}}}}, 'source': "

    def face(self, x: int, y: int, size: int) -> dict[str, Any]:
        """An entry of the alignments; every value is an object of its own, or the pickler would share it."""
        if self.v3:
            return {
                "x": x, "y": y, "w": size, "h": size, "landmarks_xy": [row.copy() for row in self.rows], "mask": {},
                "identity": {}, "thumb": self.thumb.copy(),
            }  # fmt: skip
        masks = {
            name: {**mask, "mask": bytes(bytearray(mask["mask"])), "affine_matrix": mask["affine_matrix"].copy()}
            for name, mask in self.masks.items()
        }
        box = {"x": np.int64(x), "w": np.int64(size), "y": np.int64(y), "h": np.int64(size)}
        points = self.points.copy()
        return {**box, "landmarks_xy": points, "mask": masks, "identity": {}, "thumb": self.thumb.copy()}

    def file(self, x: int, y: int, size: int, name: str, frame: str, index: int) -> bytes:
        """The PNG of a face with its header."""
        box = (f"'x': {x}, 'y': {y}, 'w': {size}" if self.v3 else f"'x': {x}, 'w': {size}, 'y': {y}") + f", 'h': {size}"
        source = (
            f"{{'alignments_version': 2.4, 'original_filename': '{name}', 'face_index': {index}, "
            f"'source_filename': '{frame}', 'source_is_video': True, 'source_frame_dims': (720, 1280)}}}}"
        )
        body = f"iTXtfaceswap\0\0\0\0\0{{'alignments': {{{box}, {self.text}{source}".encode()
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return self.png[:33] + chunk + self.png[33:]


def generate(
    root: Path, *, faces: int, line: str, seed: int = 1, second: float = 0.1, clip: str = "clip"
) -> None:  # fmt: skip
    """A faceset of `faces` faces of a film in `root/faces` and `root/alignments/CLIP_alignments.fsa`.

    `line` is "v2.3.0" (NumPy arrays, two masks a face) or "master" (plain lists, none); every frame has one face, a
    share `second` of them two. Called again with another `clip` it adds that one's.
    """
    v3, rng = line == "master", np.random.default_rng(seed)
    shapes = [_Shape(rng, v3) for _ in range(_SHAPES)]
    folder, aligned = root / "faces", root / "alignments"
    folder.mkdir(parents=True, exist_ok=True)
    aligned.mkdir(exist_ok=True)
    boxes = rng.integers(20, 400, (faces, 3)).tolist()
    doubles = rng.random(faces) < second
    frames: dict[str, dict[str, Any]] = {}
    number = made = 0
    while made < faces:
        number += 1
        frame = f"{clip}_{number:06d}.mp4"
        entries: list[dict[str, Any]] = []
        for index in range(2 if doubles[made] and made + 1 < faces else 1):
            name, shape = f"{clip}_{number:06d}_{index}.png", shapes[made % _SHAPES]
            x, y, size = boxes[made]
            entries.append(shape.face(x, y, size))
            handle = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            os.write(handle, shape.file(x, y, size, name, frame, index))
            os.close(handle)
            made += 1
        frames[frame] = {"faces": entries, "video_meta": {}}
    _save(aligned / f"{clip}_alignments.fsa", {"__meta__": {"version": 2.4}, "__data__": frames})


def _save(path: Path, value: dict[str, Any]) -> None:
    """Pickle with the module name that NumPy 1 and 2 both know, as faceswap's files have it, and compress.

    The name is one byte shorter than NumPy 2's, so the FRAME that holds it is told so.
    """
    raw = bytearray(pickle.dumps(value, 4))
    long, short = b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray"
    at = raw.find(long)
    if at >= 0:
        frame = 2
        while (end := frame + 9 + int.from_bytes(raw[frame + 1 : frame + 9], "little")) <= at:
            frame = end
        raw[frame + 1 : frame + 9] = (end - frame - 10).to_bytes(8, "little")
        raw[at : at + len(long)] = short
    try:
        from isal.isal_zlib import compress
    except ImportError:
        from zlib import compress
    path.write_bytes(compress(raw, 1))


def copy(source: Path, target: Path, *, without: AbstractSet[str] = frozenset(), link: bool) -> None:
    """A second faceset of the same files but `without` some PNGs. With `link`, the same files under second names: only
    for a program that never writes into a file that is there."""
    for kind in ("faces", "alignments"):
        (target / kind).mkdir(parents=True)
        for entry in os.scandir(source / kind):
            if entry.name not in without:
                (os.link if link else shutil.copyfile)(entry.path, target / kind / entry.name)


def same(one: Path, other: Path) -> bool:
    """Whether two facesets hold the same frames and faces in their alignments, and the same PNGs with the same
    headers."""
    files = [root / "alignments" / "clip_alignments.fsa" for root in (one, other)]
    names = [sorted(path.name for path in (root / "faces").iterdir()) for root in (one, other)]
    if names[0] != names[1]:
        return False
    if files[0].read_bytes() != files[1].read_bytes():
        frames = [read_alignments(file).frames for file in files]
        if frames[0] != frames[1] or list(frames[0]) != list(frames[1]):
            return False
    for name in names[0]:
        pair = [root / "faces" / name for root in (one, other)]
        if pair[0].read_bytes() != pair[1].read_bytes() and read_header(pair[0]) != read_header(pair[1]):
            return False
    return True


if __name__ == "__main__":
    if sys.argv[1] == "make":
        generate(Path(sys.argv[2]), faces=int(sys.argv[3]), line=sys.argv[4])
    else:
        raise SystemExit(0 if same(Path(sys.argv[2]), Path(sys.argv[3])) else 1)
