"""The blueprint of the pages about faces, and how a request names one."""

from __future__ import annotations

import re

from flask import Blueprint, abort

from ....curation.types import Face, FaceId
from ...app import App

__all__ = ["blueprint", "face_named", "is_face_id"]

blueprint = Blueprint("faces", __name__)
_ID = re.compile(r"[0-9a-f]{32}")


def is_face_id(text: str) -> bool:
    """Whether it has the form of a face id."""
    return _ID.fullmatch(text) is not None


def face_named(app: App, face_id: str) -> Face:
    """The face with this whole id; a 404 where there is none."""
    found = app.store.face(FaceId(face_id)) if is_face_id(face_id) else None
    if found is None:
        abort(404, f"There is no face {face_id[:40]}.")
    return found
