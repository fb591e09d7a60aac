"""Footage that comes in through the browser: in pieces, so that a film of any length does, and a cut line goes on.

uploads/<id>/name.json     its name and length
uploads/<id>/.part         what came so far
uploads/<id>/<name>        all of it
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import check_name, put_in_place, write_atomic
from ..errors import StageError
from ..workspace.folder import Workspace
from ..workspace.state import json_object

__all__ = [
    "LARGEST_PIECE",
    "UPLOADS",
    "Upload",
    "add_piece",
    "begin_upload",
    "drop_taken_in",
    "drop_upload",
    "find_upload",
    "uploads",
]

UPLOADS = "uploads"
LARGEST_PIECE = 8 << 20
"""Bytes of one piece."""
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is coming, or came: `have` of `size` bytes. `path` is where it stands once it is whole."""

    id: str
    name: str
    size: int
    have: int
    path: Path

    @property
    def whole(self) -> bool:
        return self.have == self.size


def begin_upload(workspace: Workspace, name: str, size: int, first: bytes) -> Upload:
    """Take the first piece of a file. The same file, begun before, goes on where it was: it is known by its name, its
    length and its first piece. Raises UnsafeFile for a name that is none, StageError for lengths that cannot be."""
    plain = check_name(name.replace("\\", "/").rpartition("/")[2], where="The upload")
    if not 0 < len(first) <= size or len(first) > LARGEST_PIECE:
        raise StageError(f"{plain} is empty, or its length does not fit what came.")
    key = hashlib.sha256(first + f"\0{size}\0{plain}".encode()).hexdigest()[:16]
    found = find_upload(workspace, key)
    if found is not None:
        return found
    folder = workspace.path(UPLOADS, key, "name.json").parent
    write_atomic(folder / "name.json", json.dumps({"name": plain, "size": size}), private=True)
    return add_piece(workspace, key, 0, first)


def add_piece(workspace: Workspace, upload_id: str, at: int, piece: bytes) -> Upload:
    """Add a piece that begins at byte `at`; one that is there already changes nothing. Raises StageError where bytes
    between are missing, or more came than the file has."""
    upload = find_upload(workspace, upload_id)
    if upload is None:
        raise StageError("This upload is gone. Choose the file again.")
    if at + len(piece) <= upload.have:
        return upload
    if at != upload.have or at + len(piece) > upload.size:
        raise StageError(f"{upload.name}: {upload.have} bytes are here, so the next piece begins there.")
    part = upload.path.with_name(".part")
    with part.open("r+b" if part.exists() else "wb") as stream:
        stream.seek(at)
        stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    if at + len(piece) == upload.size:
        put_in_place(part, upload.path)
    return Upload(upload.id, upload.name, upload.size, at + len(piece), upload.path)


def find_upload(workspace: Workspace, upload_id: str) -> Upload | None:
    """The upload of that id; None where there is none."""
    folder = workspace.root / UPLOADS / upload_id
    if not _ID.fullmatch(upload_id):
        return None
    try:
        told = json_object((folder / "name.json").read_bytes()) or {}
    except OSError:
        return None
    name, size = told.get("name"), told.get("size")
    if not isinstance(name, str) or not isinstance(size, int):
        return None
    path = folder / check_name(name, where=f"{UPLOADS}/{upload_id}")
    standing = next((item for item in (path, folder / ".part") if item.is_file()), None)
    return Upload(upload_id, name, size, standing.stat().st_size if standing else 0, path)


def uploads(workspace: Workspace) -> list[Upload]:
    """Everything that is coming or came and was not taken in yet, oldest first."""
    folders = sorted((workspace.root / UPLOADS).glob("*"), key=lambda path: path.stat().st_mtime)
    return [found for folder in folders if (found := find_upload(workspace, folder.name)) is not None]


def drop_upload(workspace: Workspace, upload_id: str) -> None:
    """Throw an upload away; one that is gone already is no error."""
    if _ID.fullmatch(upload_id):
        shutil.rmtree(workspace.root / UPLOADS / upload_id, ignore_errors=True)


def drop_taken_in(workspace: Workspace, files: Iterable[Path]) -> None:
    """Throw away which of `files` were uploaded: they are footage of the workspace now."""
    for path in files:
        folder = path.resolve().parent
        if folder.parent == workspace.root / UPLOADS:
            drop_upload(workspace, folder.name)
