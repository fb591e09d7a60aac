"""The frames of a video or a folder of pictures, by the keys that alignments use."""

from __future__ import annotations

from pathlib import Path

from ..curation.files import picture_files
from .errors import StageError

__all__ = ["frame_names"]


def frame_names(source: Path) -> list[str]:
    """`<stem>_%06d.<ext>` from 1 for a video; the file names, sorted, for a folder.

    Raises StageError for a file that is no readable video.
    """
    if source.is_dir():
        return [path.name for path in picture_files(source)]
    from .video.facts import measure

    facts = measure(source, decode=False)
    if not facts.readable or not facts.frames:
        raise StageError(f"{source} is no readable video. Look: galloway video check {source}")
    return [f"{source.stem}_{number:06d}{source.suffix}" for number in range(1, facts.frames + 1)]
