"""What simulated workers know: a file that says, by the content of a picture, what it shows.

The key of a picture is the SHA-256 of its decoded RGB pixels: headers and names say nothing. Where a picture was
encoded once more on its way, the nearest difference hash within six bits (of 64) is taken instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from ...curation.files import write_atomic
from ...curation.pictures import open_picture
from ...curation.types import LABELS, REASONS, Question
from ..errors import StageError

__all__ = ["SampleTruth", "TrueFace", "content_key", "look"]

_FORMAT = "galloway-sample-truth/1"
_NEAR = 6


@dataclass(frozen=True, slots=True)
class TrueFace:
    """What a worker who sees well should answer: `usable` keep/reject with its reason, `identity` same/different."""

    usable: str
    reason: str | None
    identity: str


class _Known(Protocol):
    """Anything that has the three answers, such as the footage's own truth."""

    @property
    def usable(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def identity(self) -> str: ...


def content_key(data: bytes) -> str:
    """SHA-256 of a picture's size and decoded RGB pixels, hexadecimal."""
    picture = open_picture(data)
    return hashlib.sha256(f"{picture.width}x{picture.height}:".encode() + picture.tobytes()).hexdigest()


def look(data: bytes) -> int:
    """A 64-bit difference hash: neighbouring pixels of a 9 × 8 grey thumbnail compared."""
    grey = open_picture(data).convert("L").resize((9, 8), Image.Resampling.BILINEAR)
    pixels = grey.tobytes()
    bits = [pixels[row * 9 + column] > pixels[row * 9 + column + 1] for row in range(8) for column in range(8)]
    return sum(1 << position for position, bit in enumerate(bits) if bit)


@dataclass(frozen=True)
class SampleTruth:
    """Pictures by content. Build it with `of` or `read`."""

    faces: Mapping[str, TrueFace]
    looks: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[bytes, _Known]]) -> SampleTruth:
        """From pictures as they are served, and what they show."""
        faces, looks = {}, {}
        for data, known in entries:
            key = content_key(data)
            faces[key] = TrueFace(known.usable, known.reason, known.identity)
            looks[key] = look(data)
        return cls(faces, looks)

    @classmethod
    def write(cls, path: Path, entries: Iterable[tuple[bytes, _Known]]) -> None:
        """Write the file that `read` reads; an interrupted write leaves no half file."""
        truth = cls.of(entries)
        record = {
            "format": _FORMAT,
            "faces": {
                key: {
                    "usable": face.usable,
                    "reason": face.reason,
                    "identity": face.identity,
                    "look": f"{truth.looks[key]:016x}",
                }
                for key, face in truth.faces.items()
            },
        }
        write_atomic(path, json.dumps(record, indent=1), durable=False)

    @classmethod
    def read(cls, path: Path) -> SampleTruth:
        """Read a truth file. Raises StageError naming what is wrong with it."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != _FORMAT:
                raise ValueError(f"its format is {record['format']!r}")
            faces = {key: _face(entry) for key, entry in record["faces"].items()}
            looks = {key: int(entry["look"], 16) for key, entry in record["faces"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StageError(
                f"{path} is not a truth file of simulated workers ({error}). The demo writes one: galloway demo"
            ) from error
        return cls(faces, looks)

    def find(self, data: bytes) -> TrueFace | None:
        """What a served picture shows: exactly this one, else the one that looks nearly the same, else None."""
        found = self.faces.get(content_key(data))
        if found is not None or not self.looks:
            return found
        seen = look(data)
        key = min(self.looks, key=lambda known: ((self.looks[known] ^ seen).bit_count(), known))
        return self.faces[key] if (self.looks[key] ^ seen).bit_count() <= _NEAR else None

    @cached_property
    def digest(self) -> str:
        """Names this truth; secret as long as the file is."""
        return hashlib.sha256("".join(sorted(self.faces)).encode()).hexdigest()


def _face(entry: Mapping[str, Any]) -> TrueFace:
    face = TrueFace(entry["usable"], entry["reason"], entry["identity"])
    if (
        face.usable not in LABELS[Question.USABLE]
        or face.identity not in LABELS[Question.IDENTITY]
        or (face.reason is not None and face.reason not in REASONS)
    ):
        raise ValueError(f"no such answer: {face}")
    return face
