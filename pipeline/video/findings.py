"""What is wrong with a video, in words: a pure function of what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..wording import counted, noun
from .facts import VideoFacts

__all__ = ["HDR", "Finding", "find"]

Severity = Literal["broken", "harmful", "note"]

HDR = {"smpte2084": "PQ (HDR10)", "arib-std-b67": "HLG"}
_COMMON_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores", "ffv1", "mpeg2video")
_PLAIN_PIXELS = ("yuv420p", "yuvj420p", "nv12", "gray", "bgr24", "rgb24")
_HALF = 0.51
"""ffmpeg, asked for a constant rate, fills a gap from half a frame on; measured with 4.2 and 9.0."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a video.

    `severity` is "broken" (it cannot be used as it is), "harmful" (it can, and will surprise) or "note".
    `code` is stable, for programs; `what` is the evidence, `why` what it does to a face swap.
    """

    code: str
    severity: Severity
    what: str
    why: str


def find(facts: VideoFacts) -> tuple[Finding, ...]:
    """Every finding, worst first, in a stable order."""
    rules: tuple[_Rule, ...] = (
        (_missing_index, _unreadable) if not facts.readable else (_truncated, *_TIMING, *_PICTURE, *_SOUND)
    )
    found = [finding for rule in rules for finding in rule(facts)]
    order = ("broken", "harmful", "note")
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _missing_index(facts: VideoFacts) -> Iterator[Finding]:
    if facts.boxes is not None and not facts.boxes.has_index:
        yield Finding(
            "missing_moov",
            "broken",
            "The index (the moov box at the end of an mp4) is not there.",
            "The recording or the copy was cut off before it was finished. Without the index no reader knows where a "
            "frame begins, and ffmpeg cannot rebuild it: copy the file again from the camera or the source.",
        )


def _unreadable(facts: VideoFacts) -> Iterator[Finding]:
    if facts.boxes is None or facts.boxes.has_index:
        yield Finding(
            "unreadable",
            "broken",
            " ".join([f"It cannot be read as a video: {'; '.join(facts.trouble).rstrip('.')}.", *_missing(facts)]),
            "Nothing can be extracted from it. Play it once; if no player shows it, get the file again.",
        )


def _truncated(facts: VideoFacts) -> Iterator[Finding]:
    promised, got = facts.promised, facts.frames + facts.hidden
    if facts.container == "avi":
        got += facts.empty  # its index counts places, with those that hold no picture
    signs = list(facts.trouble)
    signs[:0] = _missing(facts)
    if promised and got < promised:
        signs.insert(0, f"The container promises {promised} frames, {got} can be read.")
    if signs:
        yield Finding(
            "truncated",
            "broken",
            " ".join(signs),
            "Readers stop at different frames or crash where the damage begins, so alignments and frames part. "
            "Mended, the file ends with the last whole frame.",
        )


def _missing(facts: VideoFacts) -> list[str]:
    gone = facts.missing_bytes
    return [f"{counted(gone, 'byte')} at the end {noun(gone, 'is', 'are')} missing."] if gone else []


def _empty_places(facts: VideoFacts) -> Iterator[Finding]:
    if facts.empty:
        yield Finding(
            "empty_places",
            "harmful",
            f"{facts.empty} of {facts.frames + facts.empty} places at {float(facts.rate):.5g} a second hold nothing.",
            "Readers that fill them with copies number all later frames differently from those that do not.",
        )


def _restarts(facts: VideoFacts) -> Iterator[Finding]:
    if facts.restarts:
        yield Finding(
            "clock_restarts",
            "broken",
            f"The clock begins anew at frame {', '.join(map(str, facts.restarts[:5]))}"
            f"{' and later' if len(facts.restarts) > 5 else ''}: the file was joined of several.",
            "Readers put the pieces over one another or leave frames out, and the sound parts from the picture. "
            "Mended, one piece follows the other.",
        )


def _variable_rate(facts: VideoFacts) -> Iterator[Finding]:
    if facts.off_grid > 0.25 and not facts.empty:
        yield Finding(
            "variable_frame_rate",
            "harmful",
            f"Frames come {facts.step_min * 1000:.0f} to {facts.step_max * 1000:.0f} ms apart "
            f"(worst {facts.off_grid:.1f} frames off a constant rate).",
            "faceswap counts frames and writes them back at one constant rate: sound and picture drift apart, and "
            "readers that fill gaps with copies number the frames differently from those that do not.",
        )


def _late_start(facts: VideoFacts) -> Iterator[Finding]:
    # Of these ffmpeg zeroes the clock by the streams that are read; and faceswap reads the picture alone.
    if facts.container in ("mpegts", "mpeg"):
        return
    # Counted from the file's first stream: a clock that starts late for all is zeroed by every reader.
    gap = facts.start - facts.file_start
    copies = int(gap * float(facts.rate) + _HALF)
    if copies > 0:
        yield Finding(
            "late_start",
            "harmful",
            f"The picture starts {gap:.3f} s after the file's first stream.",
            f"Readers that fill the gap put {counted(copies, 'copy', 'copies')} of the first frame in front "
            f"({facts.frames + copies} frames instead of {facts.frames}), so every frame number is shifted: faceswap's "
            "v2.3 line does, its master line and OpenCV do not.",
        )


def _edit_list(facts: VideoFacts) -> Iterator[Finding]:
    edits = facts.boxes.edits if facts.boxes is not None else ()
    shown = [edit for edit in edits if edit.media_time >= 0]
    if facts.hidden or len(shown) > 1:
        yield Finding(
            "edit_list",
            "harmful",
            f"An edit list hides {facts.hidden} of {facts.packets} frames"
            + (f" and joins {len(shown)} pieces." if len(shown) > 1 else "."),
            "Readers that ignore edit lists see the hidden frames and number all others differently.",
        )


def _count(facts: VideoFacts) -> Iterator[Finding]:
    if facts.promised and not facts.trouble and facts.frames > facts.promised:
        yield Finding(
            "frame_count",
            "harmful",
            f"The container says {facts.promised} frames, {facts.frames} can be read.",
            "Tools that believe the container leave the last frames out.",
        )


def _sizes(facts: VideoFacts) -> Iterator[Finding]:
    if len(facts.sizes) > 1:
        first, *others = (f"{width}x{height}" for width, height in facts.sizes)
        yield Finding(
            "size_changes",
            "broken",
            f"The picture begins as {first} and becomes {', '.join(others)}.",
            "Faces, frames and the result have one size. Calls and screen recordings change theirs; mended, every "
            "frame has the first size, with black edges where the shape differs.",
        )


def _rotated(facts: VideoFacts) -> Iterator[Finding]:
    if facts.rotation:
        yield Finding(
            "rotated",
            "harmful",
            f"A flag tells players to turn the picture by {facts.rotation}° (stored {facts.width}x{facts.height}).",
            "Readers that ignore the flag see faces lying on their side, which detectors miss; those that heed it give "
            "other coordinates for the same face.",
        )


def _pixel_aspect(facts: VideoFacts) -> Iterator[Finding]:
    if facts.pixel_aspect != 1:
        width, height = facts.shown_size
        yield Finding(
            "stretched_pixels",
            "harmful",
            f"Pixels are not square ({facts.pixel_aspect.numerator}:{facts.pixel_aspect.denominator}); "
            f"players show {width}x{height}.",
            "Faces are cut out squeezed, and the model learns them so.",
        )


def _hdr(facts: VideoFacts) -> Iterator[Finding]:
    if facts.transfer in HDR:
        yield Finding(
            "hdr",
            "harmful",
            f"The picture is HDR: {HDR[facts.transfer]}.",
            "Read as ordinary video it looks grey and flat, and the swapped face will not match. Mended, the light is "
            "mapped to ordinary range (Hable's curve, BT.709).",
        )


def _pixels(facts: VideoFacts) -> Iterator[Finding]:
    if facts.pixel_format not in _PLAIN_PIXELS:
        yield Finding(
            "pixel_format",
            "harmful" if facts.bits > 8 else "note",
            f"Pixels are stored as {facts.pixel_format} ({facts.bits} bits).",
            "Faces are 8-bit; each tool rounds the rest down in its own way, and some refuse the format.",
        )


def _interlaced(facts: VideoFacts) -> Iterator[Finding]:
    if facts.interlaced:
        yield Finding(
            "interlaced",
            "harmful",
            "Each frame holds two moments in alternating lines.",
            "Moving faces get combed edges, which the model learns.",
        )


def _odd_size(facts: VideoFacts) -> Iterator[Finding]:
    if facts.width % 2 or facts.height % 2:
        yield Finding(
            "odd_size",
            "harmful",
            f"The picture is {facts.width}x{facts.height}; a side with an odd number of pixels.",
            "Ordinary H.264 (4:2:0) cannot store it: the converted video fails to encode or loses a line. Mended, the "
            "last column or row is repeated, so coordinates stay.",
        )


def _codec(facts: VideoFacts) -> Iterator[Finding]:
    if facts.codec not in _COMMON_CODECS:
        yield Finding(
            "odd_codec",
            "harmful",
            f"The picture is coded as {facts.codec}, which is rare today.",
            "It can be read here, but not by every tool that comes later.",
        )


def _no_sound(facts: VideoFacts) -> Iterator[Finding]:
    if facts.sound is None:
        yield Finding("no_sound", "note", "There is no sound in it.", "The converted video will be silent as well.")


def _sound_offset(facts: VideoFacts) -> Iterator[Finding]:
    if facts.sound is not None and abs(facts.sound.start - facts.start) > 0.05:
        late = facts.sound.start - facts.start
        yield Finding(
            "sound_offset",
            "note",
            f"The sound starts {abs(late):.3f} s {'after' if late > 0 else 'before'} the picture.",
            "Tools that join picture and sound anew from zero lose this offset. It is kept when the file is mended.",
        )


def _extra_streams(facts: VideoFacts) -> Iterator[Finding]:
    kinds = ((facts.extra_sound, "sound track", ""), (facts.extra_pictures, "picture", ", such as a cover"))
    told = [f"{count} more {what}{'s' if count > 1 else ''}{example}" for count, what, example in kinds if count]
    if told:
        yield Finding(
            "extra_streams",
            "note",
            f"There {'is' if told[0].startswith('1 ') else 'are'} {' and '.join(told)}.",
            "Faces are looked for in the film that players show. Converting keeps all sound tracks and says what it "
            "leaves out; a mended file has that film and the first sound track alone.",
        )


_Rule = Callable[[VideoFacts], Iterator[Finding]]
_TIMING: tuple[_Rule, ...] = (_restarts, _empty_places, _variable_rate, _late_start, _edit_list, _count)
_PICTURE: tuple[_Rule, ...] = (_sizes, _rotated, _pixel_aspect, _hdr, _pixels, _interlaced, _odd_size, _codec)
_SOUND: tuple[_Rule, ...] = (_no_sound, _sound_offset, _extra_streams)
