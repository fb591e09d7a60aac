"""What tests do with a film's frames, and how the system's ffmpeg shows the result."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
from galloway.pipeline.engines.frames import RGB, Frame

from tests.support.videos import ffmpeg, probe

__all__ = ["kept", "raw", "seen", "swapped"]


def seen(path: Path) -> list[np.ndarray]:
    """The frames as the system's ffmpeg shows them: turned upright, with the matrix and range that the file names."""
    shown = ["-fps_mode", "passthrough", "-sws_flags", "accurate_rnd", "-pix_fmt", "rgb24", "-c:v", "ppm"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0", *shown, "-f", "image2pipe", "-"]
    pictures = io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)
    frames = []
    while pictures.readline() == b"P6\n":
        width, height = map(int, pictures.readline().split())
        assert pictures.readline() == b"255\n"
        frames.append(np.frombuffer(pictures.read(width * height * 3), np.uint8).reshape(height, width, 3))
    return frames


def kept(_frame: Frame) -> None:
    return None


def swapped(frame: Frame) -> RGB | None:
    """A green square in every second frame."""
    if frame.number % 2:
        return None
    image = frame.image.copy()
    image[40:80, 40:100] = (20, 220, 20)
    return image


def raw(path: Path, stored: str) -> np.ndarray:
    raw = path.with_suffix(".raw")
    ffmpeg("-i", path, "-f", "rawvideo", "-pix_fmt", stored, raw)
    count = int(probe(path)["streams"][0].get("nb_frames") or len(seen(path)))
    return np.frombuffer(raw.read_bytes(), np.uint8).reshape(count, -1)
