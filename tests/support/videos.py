"""A zoo of broken videos, made by ffmpeg from a test picture and a tone, and three independent frame counters."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg

__all__ = ["X264", "ZOO", "count_cv2", "count_ffprobe", "count_pyav", "ffmpeg", "probe", "sound_video"]

X264: list[object] = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", 10]

SECONDS = 2
RATE = 25


def ffmpeg(*arguments: object) -> None:
    """Run the ffmpeg that imageio-ffmpeg ships; its complaint is the test's failure."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def probe(path: Path) -> dict[str, Any]:
    """What the system's ffprobe says of a file."""
    shown = ["-show_streams", "-show_format", "-show_chapters", "-of", "json", str(path)]
    run = subprocess.run(["ffprobe", "-v", "error", *shown], capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout))


def _picture(size: str = "160x120", rate: int = RATE, seconds: float = SECONDS) -> list[object]:
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


_TONE: list[object] = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}"]
_H264: list[object] = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
_AAC: list[object] = ["-c:a", "aac"]


def sound_video(path: Path, *, size: str = "160x120", seconds: float = SECONDS, faststart: bool = True) -> Path:
    """A healthy mp4 with sound: 25 frames a second, no B-frames."""
    flags = ["-movflags", "+faststart"] if faststart else []
    ffmpeg(*_picture(size, seconds=seconds), *_TONE, "-t", seconds, *_H264, "-bf", 0, "-g", 10, *_AAC, *flags, path)
    return path


def _variable_rate(path: Path) -> None:
    keep = "select='not(between(n,10,14))*not(eq(mod(n,4),3))'"
    ffmpeg(*_picture(rate=30), *_TONE, "-vf", keep, "-fps_mode", "vfr", *_H264, *_AAC, path)


def _rotated(path: Path) -> None:
    base = sound_video(path.with_name("upright.mp4"))
    ffmpeg("-display_rotation", 90, "-i", base, "-c", "copy", path)


def _late_start(path: Path) -> None:
    base = sound_video(path.with_name("prompt.mp4"))
    ffmpeg("-i", base, "-itsoffset", 0.852, "-i", base, "-map", "1:v", "-map", "0:a", "-c", "copy", path)


def _truncated(path: Path) -> None:
    data = sound_video(path.with_name("whole.mp4")).read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])


def _missing_moov(path: Path) -> None:
    data = sound_video(path.with_name("whole.mp4"), faststart=False).read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])


def _edit_list(path: Path) -> None:
    base = sound_video(path.with_name("long.mp4"))
    ffmpeg("-ss", 0.6, "-i", base, "-c", "copy", path)


def _no_sound(path: Path) -> None:
    ffmpeg(*_picture(), *_H264, "-bf", 0, path)


def _ten_bit(path: Path) -> None:
    ffmpeg(*_picture(), *_TONE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *_AAC, path)


def _hdr(path: Path) -> None:
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    pixels = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
    setparams = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    ffmpeg(*_picture(), *_TONE, "-vf", setparams, *pixels, *tags, *_AAC, path)


def _odd_size(path: Path) -> None:
    odd = ["-vf", "format=yuv444p,crop=157:119:exact=1", "-c:v", "libx264", "-preset", "ultrafast"]
    ffmpeg(*_picture(), *_TONE, *odd, *_AAC, path)


def _stretched(path: Path) -> None:
    ffmpeg(*_picture(), *_TONE, "-vf", "setsar=15/16", *_H264, *_AAC, path)


def _interlaced(path: Path) -> None:
    weave = "tinterlace=interleave_top,setfield=tff"
    ffmpeg(
        *_picture(rate=50), *_TONE, "-vf", weave, *_H264, "-flags", "+ildct+ilme", "-x264-params", "tff=1", *_AAC, path
    )


def _odd_codec(path: Path) -> None:
    ffmpeg(*_picture(), *_TONE, "-c:v", "wmv2", "-c:a", "wmav2", path)


def _joined(path: Path) -> None:
    pieces = [path.with_name(f"piece{number}.ts") for number in (1, 2)]
    for piece in pieces:
        ffmpeg(*_picture(seconds=1), *_TONE, "-t", 1, *_H264, *_AAC, piece)
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))


def _size_changes(path: Path) -> None:
    pieces = [path.with_name(f"piece{number}.ts") for number in (1, 2)]
    for piece, size, start in zip(pieces, ("160x120", "120x120"), (0, 1), strict=True):
        ffmpeg(*_picture(size, seconds=1), *_H264, "-bf", 0, "-muxdelay", 0, "-output_ts_offset", start, piece)
    path.write_bytes(b"".join(piece.read_bytes() for piece in pieces))


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no video\n" * 200)


ZOO: dict[str, tuple[str, Callable[[Path], None]]] = {
    "variable_frame_rate": ("mp4", _variable_rate),
    "rotated": ("mp4", _rotated),
    "late_start": ("mp4", _late_start),
    "truncated": ("mp4", _truncated),
    "missing_moov": ("mp4", _missing_moov),
    "edit_list": ("mp4", _edit_list),
    "no_sound": ("mp4", _no_sound),
    "pixel_format": ("mp4", _ten_bit),
    "hdr": ("mp4", _hdr),
    "odd_size": ("mp4", _odd_size),
    "stretched_pixels": ("mp4", _stretched),
    "interlaced": ("mp4", _interlaced),
    "odd_codec": ("wmv", _odd_codec),
    "clock_restarts": ("ts", _joined),
    "size_changes": ("ts", _size_changes),
    "unreadable": ("mp4", _garbage),
}
"""Finding code -> (file ending, maker)."""


def count_pyav(path: Path) -> int:
    """Frames that PyAV decodes."""
    import av

    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def count_cv2(path: Path) -> tuple[int, int]:
    """Frames that OpenCV says there are, and frames that it reads."""
    import cv2

    reader = cv2.VideoCapture(str(path))
    said, read = int(reader.get(cv2.CAP_PROP_FRAME_COUNT)), 0
    while reader.read()[0]:
        read += 1
    reader.release()
    return said, read


def count_ffprobe(path: Path) -> int | None:
    """Frames that ffprobe decodes, None where there is no ffprobe."""
    program = shutil.which("ffprobe")
    if program is None:
        return None
    wanted = ["-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
    run = subprocess.run([program, "-v", "error", *wanted, str(path)], capture_output=True, text=True, check=True)
    return int(run.stdout.strip().strip(","))
