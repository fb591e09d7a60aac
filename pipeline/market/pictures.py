"""Pictures for workers: opaque, expiring links to faces and references, rendered as small JPEGs without metadata."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.errors import FacesetError
from ...curation.files import picture_files, write_once
from ...curation.pictures import open_picture
from ...curation.types import Face, FaceId, Progress, Side, no_progress
from ...mturk.requester.hosting import Hosting, LocalHosting
from ..errors import StageError, WorkspaceError
from .media import media_answer

if TYPE_CHECKING:
    from ...curation.store import Store
    from ..workspace.folder import Workspace

__all__ = [
    "IMAGE_PATH",
    "LARGE_PIXELS",
    "REFERENCE_PIXELS",
    "face_file",
    "face_key",
    "hosting_secret",
    "image_app",
    "link",
    "pictures_app",
    "place_of",
    "put_pictures",
    "reference_files",
    "reference_key",
    "shown_references",
    "worker_jpeg",
]

IMAGE_PATH = "/images"
WORKER_PIXELS = 192
REFERENCE_PIXELS = 320
LARGE_PIXELS = 1024
"""The large view and sharp screens get the crop as it is, up to this size; the usual crop has 256 to 512 pixels."""
REFERENCES_SHOWN = 5

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def face_key(face_id: FaceId) -> str:
    """The hosting key of a face: its id, which local links pack into 16 bytes."""
    return str(face_id)


def reference_key(side: Side, name: str) -> str:
    """The hosting key of a reference photograph."""
    return f"r{side.value}{name}"


def link(hosting: Hosting, key: str, until: datetime) -> tuple[str, str]:
    """The links to the picture behind a key and to the same one as large as it is; "" where that is not offered.

    A bucket holds the small pictures only, and two presigned links a face would not fit into a HIT.
    """
    large = hosting.url(f"l{key}", until) if isinstance(hosting, LocalHosting) else ""
    return hosting.url(key, until), large


def reference_files(workspace: Workspace, side: Side) -> list[Path]:
    """The reference photographs of side's person, by name: every page, count and program takes them from here."""
    return picture_files(workspace.references_dir(side))


def shown_references(workspace: Workspace, side: Side) -> list[Path]:
    """The photographs that stand beside a question about a face of `side`."""
    return reference_files(workspace, side)[:REFERENCES_SHOWN]


def hosting_secret(root: Path) -> bytes:
    """The workspace's secret for image links and tile keys; made once, readable by the owner only."""
    path = root / "market" / "images.key"
    try:
        found = bytes.fromhex(write_once(path, secrets.token_hex(32)).decode("ascii"))
    except ValueError:
        found = b""
    if len(found) < 16:
        raise WorkspaceError(f"{path} is damaged. Delete it: a new one is made, and links that are out end.")
    return found


def face_file(workspace: Workspace, store: Store, face_id: FaceId) -> Path | None:
    """Where a face's PNG is now, in the folder or among the rejected; None if it is unknown or gone."""
    face = store.face(face_id)
    if face is None:
        return None
    path = place_of(workspace, face, store.rejected_path(face.face_id))
    return path if path.is_file() else None


def place_of(workspace: Workspace, face: Face, moved: str | None) -> Path:
    """Where a face's PNG belongs: in the folder, or where a merge `moved` it."""
    return workspace.inside(moved) if moved is not None else workspace.face_path(face.side, face.name)


def worker_jpeg(path: Path, pixels: int = WORKER_PIXELS) -> bytes:
    """The JPEG that workers see: at most `pixels` wide and high, no header of ours in it."""
    stat = path.stat()
    return _jpeg(str(path), stat.st_mtime_ns, pixels)


@lru_cache(maxsize=1024)
def _jpeg(path: str, _mtime: int, pixels: int) -> bytes:
    picture = open_picture(Path(path))
    picture.thumbnail((pixels, pixels), reducing_gap=2.0)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def picture(workspace: Workspace, store: Store, key: str) -> bytes | None:
    """The JPEG behind a hosting key; None where there is none, or where its file cannot be read as a picture."""
    large, key = key.startswith("l"), key.removeprefix("l")
    path: Path | None
    if key.startswith("r") and len(key) > 2 and key[1] in ("a", "b"):
        path, pixels = workspace.references_dir(Side(key[1])) / Path(key[2:]).name, REFERENCE_PIXELS
    else:
        path, pixels = face_file(workspace, store, FaceId(key)), WORKER_PIXELS
    if path is None or not path.is_file():
        return None
    try:
        return worker_jpeg(path, LARGE_PIXELS if large else pixels)
    except FacesetError:
        return None


def put_pictures(
    workspace: Workspace, store: Store, hosting: Hosting, keys: Iterable[str], progress: Progress = no_progress
) -> None:
    """Have the pictures behind these hosting keys where their links lead; before anybody is paid to look at them.

    Raises StageError where one of them is gone, MTurkError where the hosting refuses.
    """
    hosting.put([(key, partial(_there, workspace, store, key)) for key in sorted(keys)], progress)


def _there(workspace: Workspace, store: Store, key: str) -> bytes:
    body = picture(workspace, store, key)
    if body is None:
        raise StageError(
            f"The picture {key} that a page is to show is gone; nothing more was sent. See what is missing: "
            "galloway faceset verify"
        )
    return body


def image_app(
    workspace: Workspace, hosting: LocalHosting
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """A WSGI app that answers `/images/<token>`: 404 for a link that is broken or out of date."""
    from ...curation.store import Store

    store = Store(workspace.db)

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        token = environ.get("PATH_INFO", "").removeprefix(f"{IMAGE_PATH}/")
        key = hosting.resolve(token)
        other = media_answer(workspace, key, environ.get("HTTP_RANGE", "")) if key is not None else None
        if other is not None:
            start_response(other[0], other[1])
            return [other[2]]
        body = picture(workspace, store, key) if key is not None else None
        if body is None:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
            return [b"This picture's link is out of date."]
        headers = [
            ("Content-Type", "image/jpeg"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "private, max-age=3600"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        start_response("200 OK", headers)
        return [body]

    return serve


def pictures_app(workspace: Workspace) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """A WSGI app for addresses that strangers reach: pictures by links that end, under any name, and nothing else."""
    from ...mturk.requester.hosting import LocalHosting

    pictures = image_app(workspace, LocalHosting(hosting_secret(workspace.root), IMAGE_PATH))

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") and environ.get("PATH_INFO", "").startswith(f"{IMAGE_PATH}/"):
            return pictures(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        return [b"There are only pictures here."]

    return serve
