"""Random samples that nobody can choose and that stay the same from round to round: drawn by a hash."""

from __future__ import annotations

import hashlib

from ...curation.types import FaceId
from ..app import App

__all__ = ["in_sample"]


def in_sample(app: App, what: str, face_id: FaceId, share: float) -> bool:
    """Whether a face belongs to this workspace's sample called `what`, which holds `share` of all faces."""
    digest = hashlib.sha256(f"{app.settings.id}|{what}|{face_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share
