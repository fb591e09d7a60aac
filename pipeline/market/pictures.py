"""Pictures for workers: opaque, expiring links to faces, references and media; and the one door (`worker_bytes`)
through which their bytes go, to a browser as to a bucket. Faces are small JPEGs without metadata.

What is held back or kept out (`workspace.gated`) does not pass it. What is shown with a warning has a link of its own
to its blurred picture; the clear one is behind another.
"""

from __future__ import annotations

import hashlib
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
from ..workspace.gated import Ruling, Word, one_gated
from .media import media_body, part_of
from .veil import blurred

if TYPE_CHECKING:
    from ...curation.store import Store
    from ..workspace.folder import Workspace

__all__ = [
    "IMAGE_PATH",
    "LARGE_PIXELS",
    "REFERENCE_PIXELS",
    "clear_bytes",
    "face_file",
    "face_key",
    "hosting_secret",
    "image_app",
    "link",
    "picture_id",
    "pictures_app",
    "place_of",
    "put_pictures",
    "reference_files",
    "reference_key",
    "shown_references",
    "veiled_key",
    "worker_bytes",
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


def veiled_key(key: str) -> str:
    """The hosting key of the blurred picture of what is behind `key`."""
    return f"w{key}"


def picture_id(workspace: Workspace, key: str) -> str:
    """What the picture behind a hosting key is known by to the gate: what it holds, whatever it is called."""
    path = _reference(workspace, key)
    return key if path is None else _digest(str(path), path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: str, _mtime: int) -> str:
    return f"r{hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]}"


def _reference(workspace: Workspace, key: str) -> Path | None:
    """The reference photograph behind a key; None for other keys, and for one that is gone."""
    if not key.startswith("r") or len(key) < 3 or key[1] not in ("a", "b"):
        return None
    path = workspace.references_dir(Side(key[1])) / Path(key[2:]).name
    return path if path.is_file() else None


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
    """The photographs that stand beside a question about a face of `side`: none that the requester keeps out."""
    files = reference_files(workspace, side)
    known = ((path, one_gated(workspace, picture_id(workspace, reference_key(side, path.name)))) for path in files)
    kept = [path for path, about in known if about is None or about.word != Word.KEEP_OUT]
    return kept[:REFERENCES_SHOWN]


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


def worker_bytes(workspace: Workspace, store: Store, key: str) -> bytes | None:
    """What a worker's browser gets for a hosting key, with l (large) or w (blurred) before it: a JPEG of a face or
    reference photograph, a medium as it is kept. None where there is none, where its file cannot be read as a picture,
    and where the gate holds it.
    """
    veiled, large, plain = key.startswith("w"), key.startswith("l"), key.removeprefix("w").removeprefix("l")
    about = one_gated(workspace, picture_id(workspace, plain))
    if about is not None and about.ruling(workspace.settings.gate) in (Ruling.HELD, Ruling.KEEP_OUT):
        return None
    body = clear_bytes(workspace, store, plain, large=large)
    return body if body is None or not veiled else blurred(body)


def clear_bytes(workspace: Workspace, store: Store, key: str, *, large: bool = False) -> bytes | None:
    """What is behind a hosting key, whatever the gate says: for the requester's own eyes, and for the model's."""
    if (medium := media_body(workspace, key)) is not None:
        return medium
    path, pixels = _reference(workspace, key), REFERENCE_PIXELS
    if path is None:
        path, pixels = face_file(workspace, store, FaceId(key)), WORKER_PIXELS
    if path is None:
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
    body = worker_bytes(workspace, store, key)
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
        body = worker_bytes(workspace, store, key) if key is not None else None
        if body is None:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
            return [b"This picture's link is out of date, or the picture is held back."]
        status, headers, part = part_of(body, environ.get("HTTP_RANGE", ""))
        start_response(status, headers)
        return [part]

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
