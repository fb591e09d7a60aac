"""Which faces an address asks for, and in what order; the choices that its form offers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, request

from ....curation.listing import Order, Pose, ShownFace, Wanted, count_faces, page_of_faces, voters
from ....curation.types import DecidedBy, FaceId, Side, Status, WorkerId
from ....mturk.requester.workers import pseudonym
from ...app import App
from ...asking.mapped import alike
from ...market.pictures import hosting_secret
from .room import face_named

__all__ = ["FIELDS", "SHARP", "SIZES", "Asked", "asked", "names_of_voters"]

_Word = TypeVar("_Word", bound=StrEnum)
FIELDS = (
    "side",
    "status",
    "person",
    "source",
    "frames",
    "worker",
    "by",
    "pose",
    "size",
    "sharp",
    "order",
    "back",
    "like",
    "lasso",
)
SIZES = {"small": (0, 64), "middle": (64, 128), "large": (128, 1 << 30)}
SHARP = {"blurred": (0.0, 0.1), "soft": (0.1, 0.4), "sharp": (0.4, 2.0)}
ALIKE = 400
"""So many of the faces that are most like one are listed."""
_CORNERS = 24
"""A line round places on the map may have so many corners: each is a condition for every face."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The faces of one address. `fields` are what it says, empty ones left out; `ranked` are faces in their own order,
    where it asks for those that are like one."""

    wanted: Wanted
    fields: Mapping[str, str]
    ranked: tuple[FaceId, ...] | None = None

    def count(self, app: App) -> int:
        """How many there are."""
        return count_faces(app.workspace.db, self.wanted)

    def page(self, app: App, *, after: str, skip: int, most: int) -> list[ShownFace]:
        """At most `most` of them, from behind a place on, or from the `skip`th on."""
        db = app.workspace.db
        if self.ranked is None:
            return page_of_faces(db, self.wanted, after=after, skip=skip, most=most)
        found = {item.face.face_id: item for item in page_of_faces(db, self.wanted)}
        there = [found[face] for face in self.ranked if face in found]
        return there[skip : skip + most]


def asked(app: App) -> Asked:
    """What the address of the current request asks for; a 400 where it names what there is not."""
    fields = {name: value for name in FIELDS if (value := request.args.get(name, ""))}
    if fields.get("status") == "all":
        del fields["status"]
    ranked, side = None, _word(fields, "side", Side)
    if "like" in fields:
        face = face_named(app, fields["like"])
        ranked, side = tuple(item for item, _ in alike(app, face, ALIKE)), face.side
    worker = fields.get("worker", "")
    wanted = Wanted(
        side=side,
        status=_word(fields, "status", Status),
        source=fields.get("source", ""),
        person=_number(fields, "person"),
        worker=_choice(names_of_voters(app), worker, "worker") if worker else "",
        decided_by=_word(fields, "by", DecidedBy),
        pose=_word(fields, "pose", Pose),
        frames=_frames(fields["frames"]) if "frames" in fields else None,
        sizes=_choice(SIZES, fields["size"], "size") if "size" in fields else None,
        sharpness=_choice(SHARP, fields["sharp"], "sharpness") if "sharp" in fields else None,
        lasso=_lasso(fields["lasso"]) if "lasso" in fields else (),
        among=ranked,
        order=_word(fields, "order", Order) or Order.RISK,
        back="back" in fields,
    )
    return Asked(wanted, fields, ranked)


def names_of_voters(app: App) -> dict[str, WorkerId]:
    """Everybody who voted by the name that pages show: a worker's pseudonym, a person's own."""
    secret = hosting_secret(app.workspace.root)
    people = "person:"
    return {
        one.removeprefix(people) if one.startswith(people) else pseudonym(WorkerId(one), secret): WorkerId(one)
        for one in voters(app.workspace.db)
    }


def _word(fields: Mapping[str, str], name: str, kind: type[_Word]) -> _Word | None:
    text = fields.get(name)
    if text is None:
        return None
    if text not in set(kind):
        abort(400, f"{text[:40]} is not one of {', '.join(kind)}.")
    return kind(text)


def _choice(known: Mapping[str, Any], text: str, what: str) -> Any:
    if text not in known:
        abort(400, f"There is no {what} {text[:40]}.")
    return known[text]


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        abort(400, f"{text[:40]} is no number of a {name}.")
    return int(text)


def _frames(text: str) -> tuple[int, int]:
    """One frame of a film as `120`, or the first and the last as `120-180`."""
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text.replace(" ", ""), re.ASCII)
    if found is None:
        abort(400, f"{text[:40]} is no frame and no range of frames. Write 120 or 120-180.")
    return int(found[1]), int(found[2] or found[1])


def _lasso(text: str) -> tuple[tuple[float, float], ...]:
    """Corners as `x,y,x,y,…` in thousandths of the map."""
    parts = text.split(",")
    if len(parts) % 2 or not 6 <= len(parts) <= 2 * _CORNERS or not all(p.isascii() and p.isdigit() for p in parts):
        abort(400, f"A line on the map has 3 to {_CORNERS} corners, in thousandths of its width and height.")
    values = [min(int(part[:6]), 1000) / 1000 for part in parts]
    return tuple(zip(values[::2], values[1::2], strict=True))
