"""A result beside its source, as files: what a swapped video must have in common with the one it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..video.facts import measure
from ..video.opening import codec_of, open_video
from .frames import open_source
from .languages import language
from .tracks import timecode_of

__all__ = ["Compared", "compare", "tracks_of"]

_TOLD = {0: "RGB", 1: "BT.709", 2: "not told", 4: "FCC", 5: "BT.601 (PAL)", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020"}
_TRANSFERS = {
    1: "BT.709", 2: "not told", 4: "gamma 2.2", 5: "gamma 2.8", 6: "BT.601", 7: "SMPTE 240M", 8: "linear", 13: "sRGB",
    14: "BT.2020", 15: "BT.2020", 16: "PQ", 18: "HLG",
}  # fmt: skip
_RANGES = {0: "limited", 1: "limited", 2: "full"}
"""What is not told is limited, in every standard."""
_LAYERS = ("mp1", "mp2", "mp3")
"""An mp4 has one name for all three layers, so that a copied track of one is read as one of another."""
_NONE = "none"
_FIRST = "size of the first picture"
_TITLES = ("title", "creation time", "timecode")
"""Compared where the source has them."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One property of both files, in words."""

    what: str
    before: str
    after: str

    @property
    def same(self) -> bool:
        return self.before == self.after


def compare(source: Path, result: Path) -> tuple[Compared, ...]:
    """Every property of the source beside that of the result, in a stable order; packets are read, frames are not
    decoded but the first. Of a folder of pictures only their number and the first one's size are compared."""
    before, after = (_properties(path) for path in (source, result))
    if source.is_dir():
        before, after = ({_FIRST: told.pop("size"), **told} for told in (before, after))
    if after.get("title", "").startswith(f"{before.get('title')} ("):
        after = {**after, "title": before["title"]}  # with what is said of every result behind it
    told = (Compared(what, text, after[what]) for what, text in before.items() if what in after)
    return tuple(item for item in told if item.what not in _TITLES or item.before != _NONE)


def _properties(path: Path) -> dict[str, str]:
    source = open_source(path)
    if not source.is_video:
        return {"frames": str(source.frames), "size": f"{source.width}x{source.height}"}
    facts = measure(path, decode=False)
    look = source.look
    return {
        "frames": str(facts.frames),
        "rate": f"{float(facts.rate):.3f} a second",
        "length": f"{facts.duration:.2f} s",
        "size": f"{source.width}x{source.height}",
        # FFV1 keeps the shape in each frame, where this reader does not see it.
        **({} if facts.codec == "ffv1" and look.aspect == 1 else {"pixel shape": _ratio(look.aspect)}),
        "fields": {"tff": "upper first", "bff": "lower first"}.get(source.fields, "none"),
        "pixels": f"{source.stored[1]} bits",
        "matrix": _TOLD.get(look.matrix, str(look.matrix)),
        "primaries": _TOLD.get(look.primaries, str(look.primaries)),
        "transfer": _TRANSFERS.get(look.transfer, str(look.transfer)),
        "range": _RANGES.get(look.range, str(look.range)),
        **tracks_of(path),
    }


def _ratio(aspect: Fraction) -> str:
    return "square" if aspect == 1 else f"{aspect.numerator}:{aspect.denominator}"


def tracks_of(path: Path) -> dict[str, str]:
    """What a video holds beside its picture, in words."""
    with open_video(path) as container:
        sound = [_track(stream) for stream in container.streams if stream.type == "audio"]
        subtitles = [_track(stream) for stream in container.streams if stream.type == "subtitle"]
        chapters = len(container.chapters())
        timecode = timecode_of(container)
        tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    return {
        "sound": ", ".join(sound) or _NONE,
        "subtitles": ", ".join(subtitles) or _NONE,
        "chapters": str(chapters),
        "title": tags[0].get("title", _NONE),
        "creation time": _second(next((tag["creation_time"] for tag in tags if "creation_time" in tag), _NONE)),
        "timecode": timecode or _NONE,
    }


def _second(time: str) -> str:
    """A time without fractions of a second, which not every container keeps. A .mov says it in two places, and newer
    readers join what is said twice with a semicolon."""
    said = set(time.split(";"))
    try:
        return (
            datetime.fromisoformat(said.pop() if len(said) == 1 else time).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        )
    except ValueError:
        return time


def _track(stream: Any) -> str:
    """Codec, channels and language of a track."""
    context = stream.codec_context
    codec = codec_of(stream) or "unknown"
    codec = "MPEG audio" if codec in _LAYERS else codec
    spoken = language(stream.metadata.get("language", "und"))
    channels = f" {context.channels}ch" if stream.type == "audio" and context is not None else ""
    return f"{codec}{channels}" + ("" if spoken == "und" else f" {spoken}")
