"""How a result is written: which codec in which container, which pixel format, and what else a container can carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

from .base import EngineError

__all__ = [
    "CODECS",
    "CONTAINERS",
    "SIDE_BY_SIDE",
    "Encoding",
    "chosen_encoding",
    "default_suffix",
    "kept_as_it_is",
    "pixel_format",
]

CODECS = ("h264", "h265", "prores", "ffv1", "png")
CONTAINERS = {
    ".mp4": ("h264", "h265"),
    ".mov": ("h264", "h265", "prores", "png"),
    ".mkv": ("h264", "h265", "prores", "ffv1", "png"),
}
"""Endings of a result and the codecs each may hold. A result without an ending is a folder of PNGs."""
_ENCODERS = {"h264": "libx264", "h265": "libx265", "prores": "prores_ks", "ffv1": "ffv1", "png": "png"}
_BEST = {"h264": 7, "h265": 7}
"""CRF at which frames that nobody changed come back at 50 dB and more, by ffmpeg's psnr filter on real clips (the worst
frame 51.8)."""
_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip
_SOUND = {
    ".mp4": {"aac", "mp3", "mp2", "ac3", "eac3", "alac", "opus"},
    ".mov": {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_s16be"},
}
_SUBTITLES = {
    ".mp4": {"mov_text", "dvd_subtitle"},
    ".mov": {"mov_text"},
    ".mkv": {"subrip", "ass", "ssa", "webvtt", "text", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"},
}
_FORMAT = re.compile(r"(?P<family>yuva|yuvj|yuv|gray|gbrap|gbrp)(?P<chroma>4\d\d)?p?(?P<bits>\d+)?(le)?")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec of CODECS with its constant rate factor and preset; None: what suits. A CRF of 0 is bit-exact."""

    codec: str = "h264"
    crf: int | None = None
    preset: str | None = None

    @property
    def encoder(self) -> str:
        """FFmpeg's name of the encoder."""
        return _ENCODERS[self.codec]

    def options(self, bits: int) -> dict[str, str]:
        """The encoder's options for pictures of so many bits."""
        if self.codec not in _BEST:
            return {"level": "3", "slicecrc": "1"} if self.codec == "ffv1" else {}
        crf = _BEST[self.codec] if self.crf is None else self.crf
        # No B-frames: decoding order is showing order, so no reader has to honour an edit list to count frames.
        found = {"preset": self.preset or "veryfast", "bf": "0"}
        if self.codec == "h264":
            # So near to the source nothing is masked; bits are better spent evenly (5 dB on hard edges, 15 % smaller).
            even = {"aq-mode": "0"} if crf <= 10 else {}
            if self.preset is None and 0 < crf <= 10:
                # Blocks that are not divided cost a quarter less time for 3 % more bits (17 % in the worst of eight
                # clips, a small one) and .1 to .5 dB. Numbers written by CAVLC and one size of transform cost another
                # quarter less for 5 to 8 % more bits, the worst frame of four clips as near to the source as before.
                even |= {"partitions": "none", "coder": "vlc", "8x8dct": "0"}
            return found | even | ({"qp": "0"} if crf == 0 else {"crf": str(crf)})
        quiet = "log-level=none:bframes=0"
        return found | ({"x265-params": f"{quiet}:lossless=1"} if crf == 0 else {"x265-params": f"{quiet}:crf={crf}"})


SIDE_BY_SIDE = Encoding("h264", 18)
"""For videos that are looked at and thrown away."""


def default_suffix(codec: str | None) -> str:
    """The ending of a result that was not named: a container that every player of that codec opens; "" for pictures."""
    return {None: ".mp4", "h264": ".mp4", "h265": ".mp4", "prores": ".mov", "ffv1": ".mkv", "png": ""}[codec]


def chosen_encoding(codec: str | None, crf: int | None, preset: str | None, output: Path) -> Encoding:
    """The encoding that was asked for, checked against itself and the output's ending; None: what suits.

    Raises EngineError naming what is possible instead.
    """
    suffix = output.suffix.lower()
    codec = codec or ("h264" if suffix else "png")
    if codec not in CODECS:
        raise EngineError(f"There is no codec {codec!r} here. Choose one of: --codec {'|'.join(CODECS)}")
    if suffix and suffix not in CONTAINERS:
        raise EngineError(
            f"A result ends in {', '.join(CONTAINERS)}, or in nothing for a folder of PNGs, not {suffix}."
        )
    if (codec not in CONTAINERS[suffix]) if suffix else codec != "png":
        ends = " or ".join(end for end, codecs in CONTAINERS.items() if codec in codecs)
        raise EngineError(f"{codec} does not go into {suffix or 'a folder of pictures'}. Name the result {ends}.")
    if preset is not None and (codec not in _BEST or preset not in _PRESETS):
        raise EngineError(f"{codec} has no preset {preset!r}. h264 and h265 have: {', '.join(_PRESETS)}.")
    if crf is not None and codec not in _BEST:
        raise EngineError(f"{codec} has no CRF; leave --crf out, or choose --codec h264 or h265.")
    if crf is not None and not 0 <= crf <= 51:
        raise EngineError(f"A CRF lies between 0 (bit-exact) and 51 (worst), not at {crf}.")
    return Encoding(codec, crf, preset)


@cache
def _formats(encoder: str) -> frozenset[str]:
    import av

    there = frozenset(item.name for item in av.Codec(encoder, "w").video_formats or ())
    # x265 names formats with transparency, and refuses them at its first frame.
    return there - {name for name in there if encoder == "libx265" and name.startswith("yuva")}


def pixel_format(codec: str, name: str, bits: int) -> str:
    """The encoder's pixel format nearest to the planar format `name` of so many bits: the same where it has it, else
    one that loses nothing, else fewer bits; transparency before bits where it may hold any."""
    there = _formats(_ENCODERS[codec])
    if name in there:
        return name
    found = _FORMAT.fullmatch(name)
    rgb = found is None or found["family"].startswith("gb")
    if codec in ("ffv1", "png") and rgb:
        return _rgb_format(codec, bits, alpha=name.startswith("gbrap"))
    if codec == "png":
        return (
            "gray" if name.startswith("gray") and bits == 8 else _rgb_format(codec, bits, alpha=name.startswith("yuva"))
        )
    own = "444" if rgb or found is None else found["chroma"] or "420"
    chromas = {"420": ("420", "422", "444"), "422": ("422", "444"), "411": ("422", "444")}.get(own, ("444", "422"))
    depths = sorted({8, 9, 10, 12, 14, 16}, key=lambda depth: (depth < bits, abs(depth - bits)))
    families = ("yuva", "yuv") if name.startswith(("yuva", "gbrap")) else ("yuv",)
    for family, depth, chroma in product(families, depths, chromas):
        candidate = f"{family}{chroma}p" + (f"{depth}le" if depth > 8 else "")
        if candidate in there:
            return candidate
    raise EngineError(f"{codec} cannot hold pictures stored as {name}. Choose another: --codec ffv1")


def _rgb_format(codec: str, bits: int, *, alpha: bool = False) -> str:
    if codec == "png":
        return ("rgba" if alpha else "rgb24") if bits == 8 else ("rgba64be" if alpha else "rgb48be")
    return ("bgra" if alpha else "bgr0") if bits == 8 else ("gbrap16le" if alpha else "gbrp16le")


def kept_as_it_is(suffix: str, kind: str, codec: str) -> bool:
    """Whether a container with this ending takes sound or subtitles (`kind`) of this codec without a change."""
    if kind == "audio":
        return suffix == ".mkv" or codec in _SOUND.get(suffix, ())
    return codec in _SUBTITLES.get(suffix, ())
