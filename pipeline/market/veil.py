"""What of a picture or film can be looked at as a still, and the blurred still that stands in its place."""

from __future__ import annotations

import io
import tempfile
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageFilter

from ...curation.errors import FacesetError
from ...curation.pictures import open_picture
from ...extras import missing_extra
from ...mturk.requester.hosting import media_type
from ..video.opening import open_video

__all__ = ["blurred", "stills"]

_FILM_STILLS = 8
"""So many frames of a film are looked at, evenly spread."""
_LEFT = 8
"""Pixels that are left of the longer side: what is gone cannot be brought back from the bytes."""
_SIDE = 192


def stills(body: bytes, name: str) -> list[Image.Image]:
    """The picture, or frames from all over the film; of a GIF the first; [] for sound, and what is not decoded here."""
    kind = media_type(body) or ""
    if kind.startswith("image/"):
        try:
            return [open_picture(body, name=name, upright=True, gif=True)]
        except FacesetError:
            return []
    return _frames(body) if kind.startswith("video/") else []


def _frames(body: bytes) -> list[Image.Image]:
    try:
        from av import FFmpegError
    except ImportError as error:
        if missing_extra(error) is None:
            raise
        return []
    found: list[Image.Image] = []
    step = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        path.write_bytes(body)
        try:
            with open_video(path) as film:
                for number, frame in enumerate(film.decode(video=0)):
                    if number % step == 0:
                        found.append(frame.to_image())
                    if len(found) > _FILM_STILLS:  # its length is not known beforehand: every second one goes
                        found, step = found[::2], 2 * step
        except (FFmpegError, IndexError):  # cut off, or without pictures: what came is looked at
            return found
    return found


@lru_cache(maxsize=256)
def blurred(body: bytes) -> bytes | None:
    """A JPEG in which colours can be told and nothing else; None where there is nothing to blur."""
    seen = stills(body, "The picture")
    if not seen:
        return None
    picture = seen[len(seen) // 2]
    size = _scaled(picture.size, _SIDE)
    small = picture.resize(_scaled(picture.size, _LEFT), Image.Resampling.BOX)
    veil = small.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(6))
    out = io.BytesIO()
    veil.save(out, "JPEG", quality=80)
    return out.getvalue()


def _scaled(size: tuple[int, int], longer: int) -> tuple[int, int]:
    scale = longer / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
