"""How often the mark in a film's pixels is read again after what happens to films, and what it costs.

    python -m bench.mark                         # on the demo's made clips
    python -m bench.mark FOLDER --payloads 200   # on the videos of a folder

Each payload goes into some seconds of a clip from anywhere in it, as `galloway convert` writes them; they are encoded
anew (CRF 28), made smaller (by a third, as 720p → 480p), cut by a tenth, and all of it. The same clips without a mark
count false readings; how often those happen by chance, `provenance/mark` computes: less often than can be counted.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import mean

import imageio_ffmpeg
import numpy as np
from galloway.pipeline.demo.footage import make_footage
from galloway.pipeline.engines.encodings import chosen_encoding
from galloway.pipeline.engines.film import rewrite_all
from galloway.pipeline.engines.frames import Change, Frame, Source, open_source
from galloway.pipeline.engines.mark import marked
from galloway.pipeline.engines.mark_code import BITS
from galloway.pipeline.engines.pixels import to_rgb
from galloway.pipeline.provenance.mark import read_mark

FRAMES = 160
"""Of each trial: the length of a short film."""
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
ATTACKS = {
    "as it is": "",
    "CRF 28": "null",
    "CRF 34": "null",
    "two thirds": "scale='trunc(iw/3)*2':'trunc(ih/3)*2'",
    "cut by a tenth": "crop=iw*0.9:ih*0.9",
    "cut, two thirds": "crop=iw*0.9:ih*0.9,scale='trunc(iw/3)*2':'trunc(ih/3)*2'",
}


@dataclass
class Tally:
    """What was seen of all trials on one clip."""

    tried: int = 0
    read: dict[str, int] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)
    false: int = 0


def trial(clip: Path, folder: Path, rng: random.Random, tally: Tally) -> None:
    """One payload in one stretch of a clip, attacked in every way."""
    source = open_source(clip)
    first = rng.randrange(max(1, (source.frames or 1) - FRAMES + 1))
    payload = rng.randrange(2**BITS)
    film = folder / "film.mp4"
    encoding = chosen_encoding(None, None, None, film)
    rewrite_all(source, film, lambda frames: _stretch(frames, first, payload, tally), encoding=encoding)
    tally.tried += 1
    for name, filters in ATTACKS.items():
        shown = film if not filters else _anew(film, folder / "anew.mp4", filters, 34 if name == "CRF 34" else 28)
        started = time.process_time()
        tally.read[name] = tally.read.get(name, 0) + (read_mark(shown) == payload)
        tally.reading.append(time.process_time() - started)


def _stretch(frames: Iterator[Frame], first: int, payload: int, tally: Tally) -> Iterator[tuple[Frame, Change]]:
    for frame in islice(frames, first, first + FRAMES):
        started = time.process_time()
        ((_, change),) = marked(iter([(frame, frame.native)]), payload)
        tally.seconds.append(time.process_time() - started)
        if frame.number % 20 == 0:
            apart = to_rgb(change).astype(float) - frame.image
            tally.ratios.append(10 * float(np.log10(255**2 / (apart**2).mean())))
        yield frame, change


def _anew(film: Path, target: Path, filters: str, crf: int) -> Path:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(film), "-vf", filters, "-an"]
    subprocess.run([*command, "-c:v", "libx264", "-crf", str(crf), str(target)], check=True)
    return target


def clips_in(folder: Path | None, work: Path) -> list[Path]:
    """The videos to try."""
    if folder is None:
        return list(make_footage(work, small=True).clips.values())
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS)


def run(folder: Path | None, payloads: int, seed: int) -> dict[str, object]:
    """Every clip in turn, until `payloads` were tried."""
    rng, tallies = random.Random(seed), {}
    with tempfile.TemporaryDirectory(prefix="galloway-mark-") as work:
        clips = clips_in(folder, Path(work))
        for clip in clips:
            tallies[clip.name] = Tally(false=int(read_mark(clip) is not None))
        for number in range(payloads):
            clip = clips[number % len(clips)]
            trial(clip, Path(work), rng, tallies[clip.name])
            print(f"\r{number + 1} of {payloads}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        sizes = {clip.name: _size(open_source(clip)) for clip in clips}
    return {"clips": {name: _row(sizes[name], tally) for name, tally in tallies.items() if tally.tried}}


def _size(source: Source) -> str:
    return f"{source.width}x{source.height}"


def _row(size: str, tally: Tally) -> dict[str, object]:
    return {
        "size": size,
        "payloads": tally.tried,
        "read": {name: round(count / tally.tried, 3) for name, count in tally.read.items()},
        "psnr": round(mean(tally.ratios), 1),
        "seconds_a_frame": round(mean(tally.seconds), 4),
        "seconds_to_read": round(mean(tally.reading), 1),
        "false": tally.false,
    }


def main() -> None:
    """Print the table and its JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--payloads", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="eight payloads")
    asked = parser.parse_args()
    found = run(asked.folder, 8 if asked.quick else asked.payloads, asked.seed)
    clips: dict[str, dict[str, object]] = found["clips"]  # type: ignore[assignment]
    print(f"{'clip':22s} {'size':>10s} {'PSNR':>6s} {'s/frame':>8s} {'false':>5s}  " + "  ".join(ATTACKS))
    for name, row in clips.items():
        read: dict[str, float] = row["read"]  # type: ignore[assignment]
        shown = "  ".join(f"{read[attack]:{len(attack)}.3f}" for attack in ATTACKS)
        print(
            f"{name[:22]:22s} {row['size']:>10s} {row['psnr']:6} {row['seconds_a_frame']:8} {row['false']:5}  {shown}"
        )
    print(json.dumps({"bench": "mark", **found}))


if __name__ == "__main__":
    main()
