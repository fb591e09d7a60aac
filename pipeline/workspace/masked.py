"""The regions of footage in which no face counts, as a workspace keeps them beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...curation.files import read_bounded
from ...curation.types import Face, Side
from ..video.numbers import numbers_of
from ..video.regions import Regions, parse_regions
from .folder import Workspace
from .records import Source

__all__ = ["faces_in_regions", "kept_regions", "regions_path"]

_LARGEST = 4 << 20


def regions_path(workspace: Workspace, side: Side, name: str) -> Path:
    """Where the regions of a source are kept. Raises WorkspaceError for a name that is none."""
    return workspace.source_record(side, name).with_name(f"{name}.regions.json")


def kept_regions(workspace: Workspace, side: Side, name: str) -> Regions:
    """The regions of a source; none where nobody set any. Raises StageError where the file is damaged."""
    path = regions_path(workspace, side, name)
    if not path.is_file():
        return Regions()
    return parse_regions(read_bounded(path, _LARGEST), workspace.relative(path))


def faces_in_regions(workspace: Workspace, source: Source, faces: Sequence[Face]) -> list[Face]:
    """Those of these faces of the source whose centre lies in one of its regions."""
    regions = kept_regions(workspace, source.side, source.name)
    if not regions:
        return []
    numbers = numbers_of({face.source_name for face in faces}, source.path)
    return [face for face in faces if regions.masks(face.frame_number or numbers.get(face.source_name), face.box)]
