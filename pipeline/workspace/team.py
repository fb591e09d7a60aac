"""The team of a workspace: who may sign in at its pages, and what each may do there."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from threading import Lock

from ...curation.files import write_atomic
from ..errors import NothingToDo, WorkspaceError

__all__ = [
    "Member",
    "Role",
    "add_member",
    "admit",
    "change_password",
    "keep_choices",
    "members",
    "new_password",
    "remove_member",
]

TEAM_NAME = "team.json"
_guard = Lock()
_LEAST = 10
"""A password has at least so many characters."""
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that are not mistaken for one another when a password is read out."""


class Role(IntEnum):
    """What a member may do; each may do what the ones before it may."""

    LOOK = 1
    DECIDE = 2
    SPEND = 3
    OWN = 4

    @property
    def word(self) -> str:
        """As it is written in commands and on pages."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team. `digest` is scrypt of the password with `salt`, both hexadecimal; `choices` say how pages
    look for this person, name and value."""

    name: str
    role: Role
    salt: str
    digest: str
    choices: Mapping[str, str] = field(default_factory=dict)


def members(root: Path) -> tuple[Member, ...]:
    """Everybody who may sign in, by name; nobody where no team was made. Raises WorkspaceError for a broken file."""
    path = root / TEAM_NAME
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = [
            Member(
                str(row["name"]), Role[row["role"].upper()], row["salt"], row["digest"],
                {str(name): str(value) for name, value in row.get("choices", {}).items()},
            )
            for row in rows
        ]  # fmt: skip
        for item in found:
            bytes.fromhex(item.salt + item.digest)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WorkspaceError(f"{path} is damaged. Delete it and add the team again: galloway team add NAME") from None
    return tuple(sorted(found, key=lambda item: item.name.casefold()))


def add_member(root: Path, name: str, role: Role, password: str = "") -> Member:
    """Let a person sign in; a name that is there gets the new role, and the new password where there is one. Raises
    WorkspaceError."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise WorkspaceError("A name has 1 to 80 characters that can be printed: galloway team add NAME")
    with _guard:
        there = members(root)
        before = next((item for item in there if item.name.casefold() == name.casefold()), None)
        if before is not None and not password:
            made = replace(before, role=role)
        else:
            salt, digest = _locked(password)
            made = Member(name, role, salt, digest, before.choices if before else {})
        _write(root, [*(item for item in there if item is not before), made])
    return made


def change_password(root: Path, name: str, now: str, new: str) -> Member | None:
    """Give a member who knows the password of now a new one; None where that is not the password. Raises
    WorkspaceError for one that is too short."""
    with _guard:
        there = admit(root, name, now)
        if there is None:
            return None
        salt, digest = _locked(new)
        made = replace(there, salt=salt, digest=digest)
        _write(root, [made if item.name == made.name else item for item in members(root)])
    return made


def keep_choices(root: Path, name: str, choices: Mapping[str, str]) -> None:
    """How pages look for a member from now on; nothing for a name that is not in the team."""
    with _guard:
        there = members(root)
        _write(root, [replace(item, choices=choices) if item.name == name else item for item in there])


def remove_member(root: Path, name: str) -> None:
    """Nobody signs in by that name any more, and who is signed in by it is signed out. Raises NothingToDo."""
    with _guard:
        there = members(root)
        left = [item for item in there if item.name.casefold() != name.casefold()]
        if len(left) == len(there):
            raise NothingToDo(f"There is no {name!r} in the team. See: galloway team list")
        _write(root, left)


def admit(root: Path, name: str, password: str) -> Member | None:
    """The member of that name and password, else None. It takes as long for a name that is not there."""
    found = next((item for item in members(root) if item.name.casefold() == name.strip().casefold()), None)
    salt = bytes.fromhex(found.salt) if found else bytes(16)
    given = _digest(password[:1024], salt)
    return found if found is not None and hmac.compare_digest(given, found.digest) else None


def new_password() -> str:
    """A password that can be read out: 80 bits."""
    letters = [secrets.choice(_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def _locked(password: str) -> tuple[str, str]:
    """A salt and the digest of a password with it."""
    if len(password) < _LEAST:
        raise WorkspaceError(f"A password has at least {_LEAST} characters.")
    salt = secrets.token_bytes(16)
    return salt.hex(), _digest(password, salt)


def _digest(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1).hex()


def _write(root: Path, found: Sequence[Member]) -> None:
    rows = [{**asdict(item), "role": item.role.word} for item in found]
    write_atomic(root / TEAM_NAME, json.dumps(rows, indent=2) + "\n", private=True)
