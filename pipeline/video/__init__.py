"""The video doctor: finds what about a video breaks face swaps, explains it, and mends it with one ffmpeg command."""

from .facts import SoundFacts, VideoFacts
from .findings import Finding
from .mend import (
    FixResult,
    VideoError,
    VideoReport,
    check_video,
    fix_command,
    fix_video,
    record_path,
)

__all__ = [
    "Finding",
    "FixResult",
    "SoundFacts",
    "VideoError",
    "VideoFacts",
    "VideoReport",
    "check_video",
    "fix_command",
    "fix_video",
    "record_path",
]
