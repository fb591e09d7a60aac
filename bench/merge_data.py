"""Synthetic but valid facesets of any size for `bench/merge.py`, as each faceswap line writes them."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from curation.faceset.alignments import read_alignments
from curation.faceset.headers import read_header

__all__ = ["generate"]

_SHAPES = 32
"""Distinct pictures; every face has its own landmarks, thumbnail bytes and frame."""


def _picture(rng: np.random.Generator) -> bytes:
    """A 96-pixel PNG of about 17 KB."""
    base = rng.integers(60, 200, (12, 12, 3), dtype=np.uint8)
    image = np.asarray(Image.fromarray(base).resize((96, 96), Image.Resampling.BICUBIC)).astype(np.int16)
    noisy = np.clip(image + rng.integers(-12, 13, image.shape), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _chunk(text: bytes) -> bytes:
    body = b"iTXtfaceswap\0\0\0\0\0" + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


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


def _face(rng: np.random.Generator, thumb: np.ndarray[Any, Any], v3: bool) -> dict[str, Any]:
    x, y, size = (int(n) for n in rng.integers(20, 400, 3))
    points = (rng.random((68, 2)) * size + (x, y)).astype(np.float32)
    shuffled = rng.permutation(thumb)
    if v3:
        return {
            "x": x, "y": y, "w": size, "h": size, "landmarks_xy": points.tolist(), "mask": {}, "identity": {},
            "thumb": shuffled.tolist(),
        }  # fmt: skip
    masks = {"components": _mask(rng), "extended": _mask(rng)}
    box = {"x": np.int64(x), "w": np.int64(size), "y": np.int64(y), "h": np.int64(size)}
    return {**box, "landmarks_xy": points, "mask": masks, "identity": {}, "thumb": shuffled}


def _header(face: dict[str, Any], name: str, frame: str, index: int) -> bytes:
    plain = {key: int(face[key]) for key in face if key in "xywh"}
    alignments = {
        **plain,
        "landmarks_xy": np.asarray(face["landmarks_xy"]).tolist(),
        "mask": {
            key: {**mask, "affine_matrix": np.asarray(mask["affine_matrix"]).tolist()}
            for key, mask in face["mask"].items()
        },
        "identity": {},
    }
    source = {
        "alignments_version": 2.4, "original_filename": name, "face_index": index, "source_filename": frame,
        "source_is_video": True, "source_frame_dims": (720, 1280),
    }  # fmt: skip
    return str({"alignments": alignments, "source": source}).encode()


def generate(root: Path, *, faces: int, line: str, seed: int = 1, second: float = 0.1) -> None:
    """A faceset of `faces` faces in `root/faces` and `root/alignments/clip_alignments.fsa`.

    `line` is "v2.3.0" (NumPy arrays, two masks a face) or "master" (plain lists, none); every frame has one face, a
    share `second` of them two.
    """
    v3, rng = line == "master", np.random.default_rng(seed)
    pictures = [_picture(rng) for _ in range(_SHAPES)]
    thumb = rng.integers(0, 256, 2000).astype(np.uint8)
    folder, aligned = root / "faces", root / "alignments"
    folder.mkdir(parents=True)
    aligned.mkdir()
    frames: dict[str, dict[str, Any]] = {}
    number = made = 0
    while made < faces:
        number += 1
        frame = f"clip_{number:06d}.mp4"
        frames[frame] = {"faces": [], "video_meta": {}}
        for index in range(2 if rng.random() < second and made + 1 < faces else 1):
            name = f"clip_{number:06d}_{index}.png"
            face = _face(rng, thumb, v3)
            frames[frame]["faces"].append(face)
            png = pictures[made % _SHAPES]
            (folder / name).write_bytes(png[:33] + _chunk(_header(face, name, frame, index)) + png[33:])
            made += 1
    _save(aligned / "clip_alignments.fsa", {"__meta__": {"version": 2.4}, "__data__": frames})


def _save(path: Path, value: dict[str, Any]) -> None:
    """Pickle with the module names that NumPy 1 and 2 both know, as faceswap's files have them. FRAME opcodes, whose
    lengths a shorter name would break, are left out, as picklers may."""
    raw = pickle.dumps(value, 4)
    if b"numpy" not in raw[:4096]:
        path.write_bytes(zlib.compress(raw))
        return
    parts, position = [raw[:2]], 2
    while position < len(raw):
        if raw[position] != pickle.FRAME[0]:
            raise ValueError(f"an opcode outside a frame at {position}")
        end = position + 9 + int.from_bytes(raw[position + 1 : position + 9], "little")
        parts.append(raw[position + 9 : end])
        position = end
    plain = b"".join(parts).replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
    path.write_bytes(zlib.compress(plain))


def same(one: Path, other: Path) -> bool:
    """Whether two facesets hold the same frames and faces in their alignments, and the same PNGs with the same
    headers."""
    frames = [read_alignments(root / "alignments" / "clip_alignments.fsa").frames for root in (one, other)]
    names = [sorted(path.name for path in (root / "faces").iterdir()) for root in (one, other)]
    if frames[0] != frames[1] or list(frames[0]) != list(frames[1]) or names[0] != names[1]:
        return False
    return all(read_header(one / "faces" / name) == read_header(other / "faces" / name) for name in names[0])


if __name__ == "__main__":
    if sys.argv[1] == "make":
        generate(Path(sys.argv[2]), faces=int(sys.argv[3]), line=sys.argv[4])
    else:
        raise SystemExit(0 if same(Path(sys.argv[2]), Path(sys.argv[3])) else 1)
