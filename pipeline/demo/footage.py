"""Footage for the demo: two short clips with sound, made from photographs that installed packages ship.

Side A shows scikit-image's `astronaut` (NASA, public domain), side B matplotlib's `grace_hopper` (US Navy, public
domain). Both are moved, zoomed, turned, relit, blurred and partly covered; between them come other people
(scikit-image's `lfw_subset`) and plain photographs in which a face detector finds faces that are none. What was drawn
is written to `truth.json`, so that decisions about the faces can be measured. The drawing is in `footage_scenes.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...curation.files import write_atomic
from ...curation.types import Side
from ...extras import install
from ..engines.film import VideoWriter
from ..errors import StageError
from .scenes import RATE, SIZE, DrawnFace, Stage, scenes

__all__ = ["FaceTruth", "Footage", "Truth", "load_truth", "make_footage", "truth_of_face"]

PEOPLE = {Side.A: "astronaut", Side.B: "hopper"}
"""Who is the right person on each side."""
SAME_FACE = 0.35
"""Intersection over union from which a found box shows the drawn face."""
PART_OF_FACE = 0.12
"""… and from which it shows a part of it: a bad crop."""
SOUND_RATE = 44100


@dataclass(frozen=True, slots=True)
class Footage:
    """What `make_footage` wrote. `references` holds photographs of each side's person."""

    clips: dict[Side, Path]
    references: dict[Side, tuple[Path, ...]]
    truth: Path


@dataclass(frozen=True, slots=True)
class Truth:
    """What was drawn: per side the frames, counted from 1, with their faces."""

    people: dict[Side, str]
    files: dict[Side, str]
    frames: dict[Side, tuple[tuple[DrawnFace, ...], ...]]


@dataclass(frozen=True, slots=True)
class FaceTruth:
    """What a found face really is, and what a worker who sees well should answer on its side.

    `person` is None where nothing was drawn; `quality` is "good", "blurred", "covered" or "none". `usable` is "keep" or
    "reject" with one of `curation.types.REASONS`, or "keep" with "covered" on side A; `identity` is "same" or
    "different".
    """

    person: str | None
    quality: str
    usable: str
    reason: str | None
    identity: str

    @property
    def wanted(self) -> bool:
        """Whether the face belongs into its side's approved faceset."""
        return self.usable == "keep"


def make_footage(out: Path, *, seed: int = 1, small: bool = False) -> Footage:
    """Write `clip_a.mp4`, `clip_b.mp4`, `references/<side>/*.png` and `truth.json` into `out`.

    `small` makes clips of a third of the length. The same seed draws the same frames. Raises StageError where
    scikit-image, which ships the photographs, is not installed.
    """
    stage = _load_stage(seed)
    out.mkdir(parents=True, exist_ok=True)
    clips: dict[Side, Path] = {}
    record: dict[str, Any] = {"version": 1, "seed": seed, "people": PEOPLE, "clips": {}}
    for side in Side:
        clips[side] = out / f"clip_{side.value}.mp4"
        frames = _write_clip(clips[side], stage, side, small)
        record["clips"][side] = {"file": clips[side].name, "frames": frames}
    references = {side: _write_references(out / "references" / side.value, stage, side) for side in Side}
    truth = out / "truth.json"
    write_atomic(truth, json.dumps(record, indent=1) + "\n", durable=False)
    return Footage(clips, references, truth)


def _load_stage(seed: int) -> Stage:
    try:
        return Stage.load(seed)
    except ImportError as error:
        raise StageError(
            f"The demo's photographs come with scikit-image, which is not installed ({error}). "
            f"Install it: {install('demo')}"
        ) from error


def _write_clip(path: Path, stage: Stage, side: Side, small: bool) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    width, height = SIZE
    with VideoWriter(path, width=width, height=height, rate=Fraction(RATE)) as writer:
        writer.add_sound(SOUND_RATE)
        for scene, picture, faces in scenes(stage, PEOPLE[side], PEOPLE[_other(side)], small=small):
            writer.write(picture)
            drawn = [{"person": f.person, "quality": f.quality, "box": list(f.box)} for f in faces]
            frames.append({"number": len(frames) + 1, "scene": scene, "faces": drawn})
        _write_chords(writer, len(frames) / RATE, root=220.0 if side is Side.A else 174.6)
    return frames


def _other(side: Side) -> Side:
    return Side.B if side is Side.A else Side.A


def _write_chords(writer: VideoWriter, seconds: float, root: float) -> None:
    """A chord a second, softly: something to hear when checking that sound and pictures still run together."""
    import av

    time = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    wave = np.zeros_like(time)
    for beat, semitones in enumerate((0, 5, 7, 3) * (int(seconds) // 4 + 1)):
        inside = (time >= beat) & (time < beat + 1)
        local = time[inside] - beat
        for interval in (0, 4, 7):
            pitch = root * 2 ** ((semitones + interval) / 12)
            wave[inside] += np.sin(2 * np.pi * pitch * local) * np.exp(-2 * local)
    stereo = np.stack([wave, np.roll(wave, 400)]).astype(np.float32) * 0.12
    for start in range(0, stereo.shape[1], 1024):
        part = np.ascontiguousarray(stereo[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        writer.write_sound(frame)


def _write_references(folder: Path, stage: Stage, side: Side) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, picture in enumerate(stage.references(PEOPLE[side]), start=1):
        path = folder / f"{PEOPLE[side]}_{index}.png"
        Image.fromarray(picture).save(path)
        paths.append(path)
    return tuple(paths)


def load_truth(path: Path) -> Truth:
    """Read a `truth.json` that `make_footage` wrote. Raises StageError where it is another file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        clips = {Side(side): clip for side, clip in record["clips"].items()}
        return Truth(
            people={Side(side): person for side, person in record["people"].items()},
            files={side: clip["file"] for side, clip in clips.items()},
            frames={side: tuple(_drawn(frame) for frame in clip["frames"]) for side, clip in clips.items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageError(f"{path} is not the demo's truth file ({error}). Make it anew: galloway demo") from error


def _drawn(frame: dict[str, Any]) -> tuple[DrawnFace, ...]:
    return tuple(
        DrawnFace(face["person"], face["quality"], tuple(float(v) for v in face["box"])) for face in frame["faces"]
    )


def truth_of_face(truth: Truth, side: Side, frame: int | str, box: Sequence[float]) -> FaceTruth:
    """What the face found at `box` (x, y, width, height) really is.

    `frame` is the number counted from 1 or the frame's name (`clip_a_000012.mp4`, also a face's file name
    `clip_a_000012_0.png`). Raises StageError for a frame that the clip does not have.
    """
    number = frame if isinstance(frame, int) else _frame_number(frame)
    frames = truth.frames[side]
    if not 1 <= number <= len(frames):
        raise StageError(f"{truth.files[side]} has frames 1 to {len(frames)}, not {frame!r}.")
    best = max(frames[number - 1], key=lambda face: _overlap(face.box, box), default=None)
    overlap = _overlap(best.box, box) if best is not None else 0.0
    if best is None or overlap < PART_OF_FACE:
        return FaceTruth(None, "none", "reject", "not_a_face", "different")
    right = best.person == truth.people[side]
    identity = "same" if right else "different"
    reason: str | None = None
    if not right:
        reason = "another_person"
    elif overlap < SAME_FACE:
        reason = "bad_crop"
    elif side is Side.B and best.quality != "good":
        # Side A keeps the right person even blurred or covered: a frame without its face is not swapped.
        reason = best.quality
    elif best.quality == "covered":
        return FaceTruth(best.person, best.quality, "keep", "covered", identity)
    return FaceTruth(best.person, best.quality, "reject" if reason else "keep", reason, identity)


def _frame_number(name: str) -> int:
    match = re.search(r"_(\d{6})(?:_\d+)?\.\w+$", name)
    if match is None:
        raise StageError(f"{name!r} is not a frame of the demo's clips, which are named clip_a_000001.mp4.")
    return int(match.group(1))


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes x, y, width, height."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    inner = max(0.0, width) * max(0.0, height)
    union = one[2] * one[3] + other[2] * other[3] - inner
    return inner / union if union > 0 else 0.0
