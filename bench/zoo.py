"""A zoo of outputs, judged by ffprobe, ffmpeg and OpenCV, never by our own reader: what of a film comes through.

    python -m bench.zoo [--quick] [--keep FOLDER]

Six films are made (mp4, mov, mkv, webm, avi and an MPEG-TS that starts at an hour): five coloured bars whose right
values are known over a moving picture, pixels of 64:45, 24000/1001 frames a second, sound in several codecs and
languages, subtitles, chapters. Each is written again as convert writes it, with a green square "swapped" into every
second frame, to mp4, mov, mkv, a lossless mkv (FFV1) and a folder of PNGs. A row a result:

    bars     how far the bars' colours are from the right ones (of 255), as ffmpeg shows them, the film's own error
             taken off; then how far from the film's as OpenCV shows them
    SAR, rate, frames, length   of the result, by ffprobe, OpenCV saying the same; in brackets the film's if it differs
    sound    tracks with channels and language, and when they begin against the picture
    PSNR     of frames that were not swapped, by ffmpeg's filter over the samples as stored, worst and mean; then by
             OpenCV, worst

Any difference that is not in what the rewriting said it leaves out is listed, and makes the bench fail. Needs ffprobe
and ffmpeg on the path.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import Rewritten, rewrite
from galloway.pipeline.engines.frames import RGB, Frame, open_source
from numpy.typing import NDArray

BARS = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 200, 40), (128, 128, 128))
WIDTH, HEIGHT = 320, 240
SQUARE = (slice(40, 80), slice(40, 100))
RATE, SECONDS, SHAPE = Fraction(24000, 1001), 2.0, "64:45"
LEAST_PSNR, MOST_COLOUR, MOST_LATE = 50.0, 2.0, 0.05
TAGS = ("color_space", "color_primaries", "color_transfer", "color_range", "pix_fmt")
EXACT = 99.0
"""Stands for a PSNR without bound."""


@dataclass(frozen=True, slots=True)
class Film:
    """How a film of the zoo is made; `matrix` is what its samples mean, told where the codec can tell it."""

    name: str
    codec: Sequence[object]
    sound: Sequence[object]
    matrix: str = "bt709"
    told: bool = True
    wide: bool = False
    """Sound in two languages, subtitles and chapters."""


X264: Sequence[object] = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", 10)
VP9: Sequence[object] = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-crf", 12)
FILMS = (
    Film("clip.mp4", (*X264, "-pix_fmt", "yuv420p"), ("-c:a", "aac", "-c:s", "mov_text"), wide=True),
    Film("clip.mov", (*X264, "-pix_fmt", "yuv422p"), ("-c:a", "pcm_s16le"), matrix="bt601"),
    Film("clip.mkv", (*X264, "-pix_fmt", "yuv420p10le"), ("-c:a", "flac", "-c:s", "srt"), wide=True),
    Film("clip.webm", (*VP9, "-pix_fmt", "yuv420p"), ("-c:a", "libopus")),
    Film("clip.avi", ("-c:v", "mpeg4", "-q:v", 2), ("-c:a", "libmp3lame"), matrix="bt601", told=False),
    Film("clip.ts", (*X264, "-pix_fmt", "yuv420p", "-muxdelay", 0, "-output_ts_offset", 3600), ("-c:a", "aac")),
)
RESULTS = {
    ".mp4": Encoding(), ".mov": Encoding(), ".mkv": Encoding(), "-ffv1.mkv": Encoding("ffv1"), "": Encoding("png")
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What others see in a film."""

    tags: dict[str, str | None]
    shape: str
    rate: Fraction
    """On the average; `steps` is one over the time from a frame to the next."""
    steps: Fraction
    frames: int
    length: float
    sound: tuple[tuple[int, str, float], ...]
    others: tuple[str, ...]
    shown: list[RGB]
    by_opencv: list[RGB]
    opencv_says: tuple[float, str]


def main() -> None:
    """Make the films, write them again, print the table; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="mp4 and avi only")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave films and results there")
    options = parser.parse_args()
    if not (shutil.which("ffprobe") and shutil.which("ffmpeg")):
        sys.exit("bench.zoo needs ffprobe and ffmpeg on the path: install FFmpeg.")
    with tempfile.TemporaryDirectory() as room:
        folder = options.keep or Path(room)
        folder.mkdir(parents=True, exist_ok=True)
        wrong = zoo(folder, [film for film in FILMS if not options.quick or film.name.endswith((".mp4", ".avi"))])
    print(*(wrong or ["Nothing differs."]), sep="\n")
    print(json.dumps({"wrong": len(wrong)}))
    sys.exit(bool(wrong))


def zoo(folder: Path, films: Sequence[Film]) -> list[str]:
    """Print the table; what is wrong, in words."""
    wrong = []
    print(
        "film -> result          bars     SAR    rate    frames length  sound                 PSNR worst/mean  OpenCV"
    )
    for film in films:
        clip = make(film, folder / film.name)
        before = look(clip)
        for ending, encoding in RESULTS.items():
            result = folder / f"{film.name.replace('.', '-')}{ending or '-pictures'}"
            made = rewrite(open_source(clip), result, swapped, encoding=encoding)
            judge = judged if ending else judged_pictures
            row, faults = judge(before, clip, result, made)
            print(f"{film.name:>9} -> {ending or 'PNGs':<9} {row}")
            wrong += [f"{film.name} -> {ending or 'PNGs'}: {fault}" for fault in faults]
    return wrong


def make(film: Film, path: Path) -> Path:
    """The film, by ffmpeg with its own matrix."""
    matrix = {"bt709": "bt709", "bt601": "smpte170m"}[film.matrix]
    wide = WIDTH // len(BARS)
    boxes = ",".join(
        f"drawbox=x={wide * place}:y=0:w={wide}:h={HEIGHT // 2}:c=0x{red:02x}{green:02x}{blue:02x}:t=fill"
        for place, (red, green, blue) in enumerate(BARS)
    )
    moving = f"testsrc2=size={WIDTH}x{HEIGHT // 2}:rate={RATE}:duration={SECONDS}[m];[b][m]overlay=0:{HEIGHT // 2}"
    turned = f"format=gbrp,scale=out_color_matrix={film.matrix}:out_range=limited:flags=accurate_rnd"
    shape = f"setsar={SHAPE.replace(':', '/')}"
    graph = (
        f"color=c=black:s={WIDTH}x{HEIGHT}:r={RATE}:d={SECONDS},format=rgb24,{boxes}[b];{moving},{turned},{shape}[v]"
    )
    told = ["-colorspace", matrix, "-color_primaries", matrix, "-color_trc", matrix, "-color_range", "tv"]
    command: list[object] = ["-f", "lavfi", "-i", f"sine=440:duration={SECONDS}"]
    maps: list[object] = ["-map", "[v]", "-map", "0:a", "-metadata:s:a:0", "language=eng"]
    if film.wide:
        texts = (path.with_name("zoo.srt"), path.with_name("zoo.txt"))
        texts[0].write_text("1\n00:00:00,200 --> 00:00:01,500\nHello\n", encoding="utf-8")
        parts = [f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={at}\nEND={at + 900}\ntitle=Part {at}\n" for at in (0, 900)]
        texts[1].write_text("".join([";FFMETADATA1\ntitle=The film\n", *parts]), encoding="utf-8")
        command += ["-f", "lavfi", "-i", f"anoisesrc=d={SECONDS}:a=0.1", "-i", texts[0], "-i", texts[1]]
        maps += ["-map", "1:a", "-ac:a:1", 6, "-metadata:s:a:1", "language=fra", "-map", "2:s", "-map_metadata", 3]
    tags = told if film.told else []
    ffmpeg(*command, "-filter_complex", graph, *maps, *film.codec, *tags, *film.sound, path)
    return path


def swapped(frame: Frame) -> RGB | None:
    """A green square in every second frame."""
    if frame.number % 2:
        return None
    image = frame.image.copy()
    image[SQUARE] = (20, 220, 20)
    return image


def judged(before: Seen, clip: Path, result: Path, made: Rewritten) -> tuple[str, list[str]]:
    """A row of the table, and what is wrong."""
    after = look(result)
    stored, told = psnr(clip, result)[::2], " ".join(made.left_out)
    by_opencv = [_distance(one, two) for one, two in _pairs(before.by_opencv, after.by_opencv)[::2]]
    colour = max(_off(after, BARS) - _off(before, BARS), 0.0)
    apart = float(np.abs(_bars(before.by_opencv[0]) - _bars(after.by_opencv[0])).max())
    late = max((abs(one[2] - two[2]) for one, two in zip(before.sound, after.sound, strict=False)), default=0.0)
    faults = _differences(before, after, told)
    rules: list[tuple[bool, str]] = [
        (colour <= MOST_COLOUR, f"the bars are {colour:.1f} further from their colours"),
        (apart <= MOST_COLOUR, f"OpenCV shows the bars {apart:.1f} apart"),
        (after.frames == len(after.by_opencv) == made.frames, "ffprobe, OpenCV and we count different frames"),
        (abs(after.opencv_says[0] - float(after.rate)) < 0.01, f"OpenCV says {after.opencv_says[0]:.3f} a second"),
        # FFV1 keeps the shape in each frame, where OpenCV does not look.
        ("ffv1" in result.name or after.opencv_says[1] == after.shape, f"OpenCV says pixels of {after.opencv_says[1]}"),
        (late <= MOST_LATE, f"sound begins {late:.2f} s otherwise"),
        (min(stored) >= LEAST_PSNR, f"PSNR of a frame that was not swapped: {min(stored):.1f}"),
        ("ffv1" not in result.name or min(stored) == EXACT, "the lossless choice is not bit-exact"),
    ]
    sound = " ".join(f"{channels}ch-{language}" for channels, language, _ in after.sound)
    row = (
        f"{colour:4.1f}/{apart:3.1f} {after.shape:>6} {float(after.rate):7.3f} {_of(after.frames, before.frames):>7}"
        f" {after.length:5.2f}  {sound:<16} {late:+.2f}  {_spread(stored)}  {min(by_opencv):5.1f}"
    )
    return row, [*faults, *(text for fine, text in rules if not fine)]


def _differences(before: Seen, after: Seen, told: str) -> list[str]:
    """What must be equal and is not, but for what was said to be left out."""
    pairs: list[tuple[str, object, object]] = [(tag, before.tags[tag], after.tags[tag]) for tag in TAGS]
    pairs += [("SAR", before.shape, after.shape), ("frames", before.frames, after.frames)]
    pairs += [("sound", [item[:2] for item in before.sound], [item[:2] for item in after.sound])]
    pairs += [(kind, True, kind in after.others or kind in told) for kind in before.others]
    faults = [f"{what} was {one}, is {two}" for what, one, two in pairs if one != two]
    # An AVI's average is what it says of itself; a slot that it leaves empty counts in the others'.
    if min(abs(before.rate - after.rate), abs(before.steps - after.steps)) > Fraction(1, 100):
        faults.append(f"rate was {float(before.rate):.3f}, is {float(after.rate):.3f}")
    if abs(before.length - after.length) > 1 / float(RATE):
        faults.append(f"length was {before.length:.2f} s, is {after.length:.2f} s")
    return faults


def judged_pictures(before: Seen, _clip: Path, result: Path, made: Rewritten) -> tuple[str, list[str]]:
    """The same for a folder of pictures, read by OpenCV."""
    pictures: list[RGB] = [
        cv2.imread(str(path))[..., ::-1]  # noqa: TID251 – OpenCV judges
        for path in sorted(result.iterdir())
    ]
    # Readers place the chroma of deep samples by half of one differently; what they show of the light is the same.
    deep = "10" in str(before.tags["pix_fmt"])
    pairs = _pairs(before.shown, pictures)[::2]
    distances = [_distance(_grey(one), _grey(two)) if deep else _distance(one, two) for one, two in pairs]
    colour = float(np.abs(_bars(pictures[0]) - _bars(before.shown[0])).max())
    rules = [
        (len(pictures) == before.frames == made.frames, f"{len(pictures)} pictures of {before.frames} frames"),
        (colour <= MOST_COLOUR, f"the bars are {colour:.1f} off"),
        (min(distances) >= LEAST_PSNR, f"PSNR of a picture that was not swapped: {min(distances):.1f}"),
        (str(RATE) in " ".join(made.left_out) or before.rate != RATE, "their rate is not said"),
    ]
    told = "; ".join(made.left_out)
    row = f"{colour:4.1f} {len(pictures):>27}        {told[:22]:<22} {_spread(distances)}"
    return row, [text for fine, text in rules if not fine]


def look(path: Path) -> Seen:
    """What ffprobe, ffmpeg and OpenCV see."""
    found = probe("-show_streams", "-show_format", "-show_chapters", path)
    video = next(stream for stream in found["streams"] if stream["codec_type"] == "video")
    wanted = "frame=best_effort_timestamp_time,sample_aspect_ratio"
    times = probe("-select_streams", "v:0", "-show_entries", wanted, path)["frames"]
    stamps = [float(frame["best_effort_timestamp_time"]) for frame in times]
    rate = Fraction(video["avg_frame_rate"])
    sound = tuple(
        (int(s["channels"]), s.get("tags", {}).get("language", "und"), float(s["start_time"]) - stamps[0])
        for s in found["streams"]
        if s["codec_type"] == "audio"
    )
    others = {s["codec_type"] for s in found["streams"]} - {"video", "audio", "data"}
    pictures, says = opencv(path)
    return Seen(
        tags={tag: video.get(tag) for tag in TAGS},
        shape=times[0]["sample_aspect_ratio"],
        rate=rate,
        steps=Fraction(video["r_frame_rate"]),
        frames=len(stamps),
        length=stamps[-1] - stamps[0] + 1 / float(rate),
        sound=sound,
        others=tuple(sorted(others | ({"chapters"} if found["chapters"] else set()))),
        shown=shown(path),
        by_opencv=pictures,
        opencv_says=says,
    )


def probe(*arguments: object) -> dict[str, Any]:
    """ffprobe's answer."""
    command = ["ffprobe", "-v", "error", "-of", "json", *map(str, arguments)]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def shown(path: Path) -> list[RGB]:
    """The frames as the system's ffmpeg shows them, with the matrix and range that the file names."""
    kind = ["-fps_mode", "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v:0", *kind]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3))


def opencv(path: Path) -> tuple[list[RGB], tuple[float, str]]:
    """The frames in RGB, and (rate, pixel shape) as OpenCV tells them."""
    reader, frames = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        frames.append(np.asarray(read[1][..., ::-1], np.uint8))
    rate, across, down = (reader.get(key) for key in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN))
    reader.release()
    return frames, (rate, f"{across or 1:.0f}:{down or 1:.0f}")


def psnr(one: Path, two: Path) -> list[float]:
    """PSNR of each frame over all its samples as they are stored, by ffmpeg."""
    told = two.with_suffix(".psnr")
    graph = f"[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]psnr=stats_file={told.name}"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "fatal",
        "-i",
        one.resolve(),
        "-i",
        two.resolve(),
        "-lavfi",
        graph,
    ]
    subprocess.run([*command, "-fps_mode", "passthrough", "-f", "null", "-"], check=True, cwd=two.parent)
    return [min(float(value), EXACT) for value in re.findall(r"psnr_avg:(\S+)", told.read_text())]


def ffmpeg(*arguments: object) -> None:
    """Run the ffmpeg that imageio-ffmpeg ships."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def _bars(picture: RGB) -> NDArray[np.float64]:
    """The mean colour in the middle of each bar (5, 3)."""
    wide = WIDTH // len(BARS)
    middles = [picture[8:30, wide * place + 20 : wide * (place + 1) - 20] for place in range(len(BARS))]
    return np.array([part.reshape(-1, 3).mean(axis=0) for part in middles])


def _off(seen: Seen, colours: Sequence[tuple[int, int, int]]) -> float:
    return float(np.abs(_bars(seen.shown[0]) - np.array(colours)).max())


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):5.1f} / {np.mean(values):5.1f}"


def _grey(picture: RGB) -> RGB:
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    return np.asarray(np.rint(0.2126 * red + 0.7152 * green + 0.0722 * blue), np.uint8)


def _distance(one: RGB, two: RGB) -> float:
    return min(float(cv2.PSNR(np.ascontiguousarray(one), np.ascontiguousarray(two))), EXACT)


def _pairs(one: list[RGB], two: list[RGB]) -> list[tuple[RGB, RGB]]:
    return list(zip(one, two, strict=False))


def _of(after: int, before: int) -> str:
    return str(after) if after == before else f"{after} ({before})"


if __name__ == "__main__":
    main()
