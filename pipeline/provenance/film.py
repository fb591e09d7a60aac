"""A finished film: signed as the last step of a conversion, and read layer by layer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...curation.types import Vote
from ..engines.base import EngineError
from ..engines.disclosure import says_face_swap
from ..engines.mark_code import mark_name
from ..errors import StageError
from .credentials import Credentials, can_hold, missing, read_credentials, sign
from .mark import read_mark
from .signer import identity

__all__ = ["Found", "check_signer", "look", "sign_film", "votes_digest"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a film still says of itself: `tags` that it is a face swap, and its Content Credentials, None without any.
    `unread` says why the latter were not looked for. `mark` is the one in its pixels (`mark_code.mark_name`), empty
    where none can be read."""

    tags: bool
    credentials: Credentials | None
    unread: str = ""
    mark: str = ""

    @property
    def genuine(self) -> bool:
        """Whether it is, byte for byte, a swap that somebody signed as such with this program."""
        return self.credentials is not None and self.credentials.holds and bool(self.credentials.said)

    def lines(self) -> list[str]:
        """Who, when, from what and on what basis, for people."""
        tags = "Tags: say that it is a face swap." if self.tags else "Tags: none; a copy of the file loses them easily."
        mark = f"Mark in the pixels: {self.mark}." if self.mark else "Mark in the pixels: none that can be read."
        return [tags, *self._signed(), mark]

    def _signed(self) -> list[str]:
        found = self.credentials
        if self.unread:
            return [f"Content Credentials: not read. {self.unread}"]
        if found is None:
            return ["Content Credentials: none. They were stripped, or this is no signed film."]
        if not found.holds:
            why = ", ".join(found.faults) or "broken"
            return [f"Content Credentials: do NOT hold, the file was changed since ({why})."]
        who = f"{found.signer}{'' if found.trusted else ', who is on no trust list'}"
        said = found.said
        return [
            f"Content Credentials: hold. Signed by {who}, with {found.made_with}.",
            *([f"Made: {said['made_at']}, by the training {said['run']}."] if "made_at" in said else []),
            *(f"Side {side}: faceset {digest}" for side, digest in sorted(said.get("facesets", {}).items())),
            *(f"Side {side}: on the basis {basis}" for side, basis in sorted(said.get("basis", {}).items())),
            *(
                f"Side {side}: consent record {mark}"
                for side, marks in sorted(said.get("consent", {}).items())
                for mark in marks
            ),
            *([f"Visible label: {said['label']}"] if said.get("label") else []),
            *([f"Mark in the pixels when it was made: {said['mark']}"] if said.get("mark") else []),
            *([f"Votes: {said['votes']}"] if said.get("votes") else []),
        ]


def look(path: Path) -> Found:
    """Read every layer of a film. Raises StageError where a layer cannot be read at all."""
    unread = missing() if can_hold(path) else f"{path.suffix or 'Such a file'} cannot hold any."
    return Found(says_face_swap(path), None if unread else read_credentials(path), unread, _mark(path))


def _mark(path: Path) -> str:
    try:
        found = read_mark(path)
    except EngineError:  # no film, or a broken one: the other layers say what can be said of it
        return ""
    return "" if found is None else mark_name(found)


def check_signer(root: Path, film: Path) -> None:
    """Raise StageError, before `film` is drawn, where it could be signed but for the certificate that is set."""
    if can_hold(film) and not missing():
        identity(root)


def sign_film(root: Path, film: Path, source: Path, said: Mapping[str, Any]) -> str:
    """Sign a finished film of the workspace at `root`; "" or why it was not signed."""
    if film.is_dir() or not can_hold(film):
        return "Content Credentials, which such files cannot hold (mp4 and mov can)"
    if why := missing():
        return why
    try:
        sign(film, source, identity(root), said)
    except StageError as refused:  # the film is whole, and its record is still to be written
        return f"Content Credentials: {str(refused).rstrip('.')}"
    return ""


def votes_digest(votes: Iterable[Vote]) -> str:
    """SHA-256 over all votes in their order: who looks at the film can be shown later which votes it stood on."""
    total = hashlib.sha256()
    for vote in votes:
        total.update(
            "\x1f".join(
                (
                    vote.face_id, vote.question.value, vote.label, vote.reason or "", vote.assignment_id,
                    vote.kind.value, vote.submitted_at.isoformat(),
                )
            ).encode()
            + b"\n"
        )  # fmt: skip
    return f"sha256:{total.hexdigest()}"
