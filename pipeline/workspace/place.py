"""Where a workspace stands: tells a copy from the workspace itself, and from one that was moved.

`place.json` names the folder by its path and by what the file system calls it (device and inode). A workspace whose
folder is either of the two is itself. Otherwise it is a copy where the recorded folder is still there, and may be a
copy or moved where it is not; then nothing talks to a market until somebody says which.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from ...curation.files import write_atomic
from ..errors import UnclaimedWorkspace, WorkspaceError
from .config_file import write_values
from .state import json_object

__all__ = ["Place", "check_place", "folder_mark", "new_identity", "open_to_others", "read_only", "record_place"]

_NAME = "place.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder: its absolute path, and its device and inode, which a rename on one disk keeps and a copy does not."""

    folder: str
    device: int
    inode: int


def check_place(root: Path) -> None:
    """Raise UnclaimedWorkspace where `root` is a copy, or may be one. A workspace without a record gets its own; one
    that was renamed is recorded anew."""
    recorded, here = _recorded(root), _place(root)
    if recorded == here:
        return
    if recorded is None or recorded.folder == here.folder or _same_folder(recorded, here):
        record_place(root)
        return
    if _is_there(recorded):
        found = f"{root} is a copy of {recorded.folder}, which is still there"
    else:
        found = f"{root} was made at {recorded.folder}, which is not there any more, or not on this machine"
    raise UnclaimedWorkspace(
        f"{found}. Two workspaces that take themselves for one would ask the same people twice and lose answers, so "
        "this one talks to no market before you say what it is.",
        "It was moved, and the old one is not used any more:  galloway claim moved",
        "It is a copy, and both are used:  galloway claim copy",
    )


def record_place(root: Path) -> None:
    """This folder is the workspace from now on."""
    write_atomic(root / _NAME, json.dumps(asdict(_place(root))) + "\n", private=True)


def new_identity(config: Path, pictures: str) -> str:
    """Give the workspace an id of its own in `galloway.toml`, so that no batch of it takes the name of another's.

    Its pictures for workers get a place of their own in a bucket, below `pictures`: in that of the original, whose
    secret it shares, either would delete the other's. The new id is returned. Everything else in the file stays as it
    is written.
    """
    identity = secrets.token_hex(3)
    write_values(config, {("", "id"): identity, ("hosting", "s3_prefix"): f"{pictures}{identity}/"})
    return identity


def folder_mark(root: Path) -> str:
    """What the file system calls the folder: the same for every process of this machine, another one for a copy."""
    here = _place(root)
    return f"{here.device}:{here.inode}"


def open_to_others(root: Path) -> bool:
    """Whether every user of this machine may look into the folder: by its own rights and those of the folders above."""
    if os.name == "nt":  # whose rights these bits do not tell
        return False
    return bool(root.stat().st_mode & 0o005) and all(folder.stat().st_mode & 0o001 for folder in root.parents)


def read_only(folder: Path) -> bool:
    """Whether a folder lies on a disk that is mounted for reading alone."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # not on this system; not there
        return False


def _place(root: Path) -> Place:
    found = root.stat()
    return Place(str(root), found.st_dev, found.st_ino)


def _recorded(root: Path) -> Place | None:
    path = root / _NAME
    try:
        values = json_object(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror}. Check its rights.") from error
    try:
        assert values is not None
        return Place(str(values["folder"]), int(values["device"]), int(values["inode"]))
    except (AssertionError, KeyError, TypeError, ValueError):
        raise UnclaimedWorkspace(
            f"{path} is damaged, so nobody knows whether {root} is a copy. Say it: galloway claim moved (it is the one "
            "workspace), or galloway claim copy (another one goes on being used)"
        ) from None


def _same_folder(one: Place, other: Place) -> bool:
    return (one.device, one.inode) == (other.device, other.inode)


def _is_there(recorded: Place) -> bool:
    try:
        found = Path(recorded.folder).stat()
    except (OSError, ValueError):
        return False
    return (found.st_dev, found.st_ino) == (recorded.device, recorded.inode)
