"""The frames of a video or a folder of pictures, by the keys that alignments use."""

from __future__ import annotations

from pathlib import Path

from .errors import StageError

__all__ = ["frame_names"]

PICTURES = frozenset({".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"})


def frame_names(source: Path) -> list[str]:
    """`<stem>_%06d.<ext>` from 1 for a video; the file names, sorted, for a folder.

    Raises StageError for a file that is no readable video.
    """
    if source.is_dir():
        return sorted(
            path.name for path in source.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")
        )
    from .video.facts import measure

    facts = measure(source, decode=False)
    if not facts.readable or not facts.frames:
        raise StageError(f"{source} is no readable video. Look: galloway video check {source}")
    return [f"{source.stem}_{number:06d}{source.suffix}" for number in range(1, facts.frames + 1)]
