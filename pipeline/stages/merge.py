"""Merge: decisions → folder, headers and alignments, as one transaction that can be undone; the result is approved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curation.faceset.merge import MergeResult

from curation.types import Side
from pipeline.app import ApprovedFaceset

__all__ = ["Merged", "merge", "plan", "undo"]

OpenFaces = Literal["keep", "reject"]


@dataclass(frozen=True, slots=True)
class Merged:
    """One side after a merge: what was moved away, and the faceset that is approved now."""

    side: Side
    result: MergeResult
    faceset: ApprovedFaceset
