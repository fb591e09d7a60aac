"""Pictures, sound and films of other labelling: copies in the workspace's `media/`, named by what they hold, behind
links that end; and which batch shows which of them.

A picture is written anew, upright and without its metadata: where and with what it was taken is nobody's business.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import read_bounded, write_atomic
from ...curation.pictures import open_picture
from ...mturk.requester.hosting import media_type
from ..errors import StageError
from ..workspace.folder import Workspace
from ..workspace.gated import drop_gated
from ..workspace.state import json_object

__all__ = [
    "ShownMedia",
    "drop_media",
    "file_key",
    "keep_body",
    "keep_media",
    "media_answer",
    "media_body",
    "media_link",
    "note_shown",
    "part_of",
    "shown_media",
]

_LARGEST = 64 << 20
"""Bytes of one file: a worker on a phone has to fetch it."""
_KEY = re.compile(r"m[0-9a-f]{32}")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_AS_IT_IS = ("audio/", "video/", "image/gif")
_HEADERS = (
    ("Cache-Control", "private, max-age=3600"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Accept-Ranges", "bytes"),
)


def keep_media(workspace: Workspace, path: Path) -> str:
    """The hosting key of a file's copy in the workspace. Twice is once.

    Raises StageError where it is neither picture nor sound nor film, FacesetError where it is a broken picture or too
    large.
    """
    return keep_body(workspace, read_bounded(path, _LARGEST), path.name)


def keep_body(workspace: Workspace, data: bytes, name: str) -> str:
    """The same of bytes that messages call `name`."""
    key = body_key(data)
    place = _place(workspace, key)
    if not place.is_file():
        body = _cleaned(data, name)
        place.parent.mkdir(exist_ok=True)
        write_atomic(place, body, private=True)
    return key


def file_key(path: Path) -> str:
    """The hosting key that a file would have; nothing is kept. Raises FacesetError where it is too large."""
    return body_key(read_bounded(path, _LARGEST))


def body_key(data: bytes) -> str:
    """The hosting key that bytes would have; nothing is kept."""
    return f"m{hashlib.sha256(data).hexdigest()[:32]}"


def _cleaned(data: bytes, name: str) -> bytes:
    kind = media_type(data) or ""
    if kind.startswith(_AS_IT_IS):
        return data
    if not kind.startswith("image/"):
        raise StageError(
            f"{name} is no picture, sound or film that browsers show (JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF, BMP; "
            "MP3, WAV, Ogg, FLAC, M4A; MP4, WebM). Convert it, or take it out of the folder. Nothing was sent."
        )
    out = io.BytesIO()
    picture = open_picture(data, name=name, upright=True)
    if kind == "image/png":
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=92)
    return out.getvalue()


def media_link(path: Path) -> str:
    """The file itself as a `data:` address, as workers would see it: for previews, where nothing is hosted yet."""
    body = _cleaned(read_bounded(path, _LARGEST), path.name)
    return f"data:{media_type(body)};base64,{base64.b64encode(body).decode()}"


def media_body(workspace: Workspace, key: str) -> bytes | None:
    """What lies behind a hosting key; None for what is no key of ours, or is gone."""
    if not _KEY.fullmatch(key):
        return None
    try:
        return _place(workspace, key).read_bytes()
    except OSError:
        return None


def drop_media(workspace: Workspace, keys: Iterable[str]) -> None:
    """Delete these copies, and what the gate knew of them; what is gone already is fine."""
    gone = list(keys)
    drop_gated(workspace, gone)
    for key in gone:
        if _KEY.fullmatch(key):
            _place(workspace, key).unlink(missing_ok=True)


def media_answer(workspace: Workspace, key: str, asked: str) -> tuple[str, list[tuple[str, str]], bytes] | None:
    """Status, headers and body of an answer to a browser; None where there is nothing. `asked` is the request's Range:
    phones play sound and films only in pieces."""
    body = media_body(workspace, key)
    return None if body is None else part_of(body, asked)


def part_of(body: bytes, asked: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """The same of bytes at hand."""
    headers = [("Content-Type", media_type(body) or "application/octet-stream"), *_HEADERS]
    part = _part(asked, len(body))
    if part is None:
        return "200 OK", [*headers, ("Content-Length", str(len(body)))], body
    start, end = part
    if start >= end:
        return "416 Range Not Satisfiable", [("Content-Range", f"bytes */{len(body)}"), ("Content-Length", "0")], b""
    where = ("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
    return "206 Partial Content", [*headers, where, ("Content-Length", str(end - start))], body[start:end]


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """The bytes that are asked for, half open; None for all (several parts are answered with all, as RFC 9110 lets)."""
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        return max(0, size - int(found[2])), size
    return int(found[1]), min(size, int(found[2]) + 1) if found[2] else size


def _place(workspace: Workspace, key: str) -> Path:
    return workspace.inside("media", key[1:])


@dataclass(frozen=True, slots=True)
class ShownMedia:
    """The media that the pages of one batch show."""

    state_key: str
    batch_key: str
    keys: frozenset[str]


def note_shown(workspace: Workspace, state_key: str, batch_key: str, keys: Collection[str]) -> None:
    """Write down that the batch shows these, before they are put where its workers find them."""
    name = hashlib.sha256(f"{state_key}\x1f{batch_key}".encode()).hexdigest()[:32]
    record = {"state_key": state_key, "batch_key": batch_key, "keys": sorted(keys)}
    write_atomic(workspace.path("media", "shown", f"{name}.json"), json.dumps(record))


def shown_media(workspace: Workspace) -> list[ShownMedia]:
    """The batches that show media. Raises StageError for a record that is damaged: what it names would be removed."""
    found = []
    for path in sorted((workspace.root / "media" / "shown").glob("*.json")):
        record = json_object(path.read_bytes()) or {}
        try:
            found.append(ShownMedia(record["state_key"], record["batch_key"], frozenset(record["keys"])))
        except (KeyError, TypeError) as error:
            raise StageError(f"{path} is damaged; it says which pictures a batch shows. Bring it back.") from error
    return found
