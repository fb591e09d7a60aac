"""The protocol of everything that extracts, trains and converts.

An engine reads and writes faceswap's own layout, so work moves from one engine to another:
faces as PNG with the `faceswap` iTXt header, alignments as `.fsa` 2.4, a model folder, previews as PNG.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

from ...curation.types import Progress

__all__ = [
    "MASK_NAME",
    "Check",
    "ConvertRequest",
    "ConvertResult",
    "Engine",
    "EngineError",
    "EngineReport",
    "ExtractRequest",
    "ExtractResult",
    "FrameRange",
    "MadeOtherwise",
    "Step",
    "TrainEvent",
    "TrainRequest",
    "TrainResult",
    "check_amounts",
    "check_options",
    "frames_in",
    "spans",
    "swap_share",
]


MASK_NAME = "occlusion.npz"
"""What the embedded engine learnt of things before faces, in a model's folder."""


class EngineError(Exception):
    """An engine cannot do what was asked; the message names the cause and the remedy."""


class MadeOtherwise(EngineError):
    """The faces of this source were made otherwise than is asked for, and may not be replaced. Nothing was changed."""


def check_amounts(request: TrainRequest) -> None:
    """Raise EngineError where a training would do nothing, which an engine may find out late or never."""
    for what, amount in (
        ("batch size", request.batch_size),
        ("number of iterations", request.iterations),
        ("save interval", request.save_every),
        ("iteration to stop at", 1 if request.until is None else request.until),
    ):
        if amount < 1:
            raise EngineError(f"The {what} must be at least 1, not {amount}. See: galloway train --help")
    if request.minutes is not None and not request.minutes > 0:
        raise EngineError(
            f"The minutes must be more than 0, not {request.minutes:g}. Leave --minutes out for no limit."
        )


Step = Literal["extract", "train", "convert"]
"""What an engine does."""


def check_options(options: Mapping[str, str], known: Iterable[str], what: str) -> None:
    """Raise EngineError for an option that means nothing, with those that do; `what` is whose options they are."""
    strange = sorted(set(options) - set(known))
    if strange:
        raise EngineError(f"{what} has no option {strange[0]!r}. It has: {', '.join(sorted(known)) or 'none'}.")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `galloway doctor`. `remedy` is the next thing to do where `ok` is False; `extra` is the extra of ours
    that brings what lacks, where one does. A `wish` is no fault where it is not `ok`: all works without it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    extra: str = ""
    wish: bool = False


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What an engine says of itself: `line` is e.g. "v2.3.0" or "master" for faceswap, "embedded" here."""

    engine: str
    line: str
    version: str
    usable: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Frames first..last, both counted from 1 and included."""

    first: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last


def frames_in(ranges: Iterable[FrameRange]) -> set[int]:
    """The numbers of all frames in some ranges, which `spans` makes ranges again."""
    return {number for span in ranges for number in range(span.first, span.last + 1)}


def spans(numbers: Iterable[int]) -> tuple[FrameRange, ...]:
    """Rising numbers as ranges: 1, 2, 3, 7 → 1-3, 7-7."""
    found: list[FrameRange] = []
    for number in numbers:
        if found and number == found[-1].last + 1:
            found[-1] = FrameRange(found[-1].first, number)
        else:
            found.append(FrameRange(number, number))
    return tuple(found)


def swap_share(number: int, skip: Sequence[FrameRange], fade: int) -> float:
    """How much of the swap a frame shows: 0 in `skip`, less than 1 within `fade` frames beside it, else 1."""
    if not skip:
        return 1.0
    away = min(max(part.first - number, number - part.last) for part in skip)
    return min(1.0, max(0, away) / (fade + 1))


@dataclass(frozen=True, slots=True)
class ExtractRequest:
    """Find faces in one source (a video file or a folder of pictures).

    Writes `<stem>_%06d_<index>.png` (video, 1-based) or `<picture stem>_<index>.png` into `faces_dir` and one
    alignments file at `alignments`. Running it again after a kill goes on; running it twice changes nothing.
    `options` holds engine-specific settings (faceswap: detector, aligner, import_json …).

    Where alignments stand that were made otherwise, or by another engine (`made_by`; None: by this one), `replaces`
    are the names of the faces that were made with them: the new ones come in at the end, and those that were not made
    again are removed; no other file is. Where it is None, MadeOtherwise is raised.
    """

    source: Path
    faces_dir: Path
    alignments: Path
    work_dir: Path
    size: int = 256
    every_nth: int = 1
    min_size: int = 20
    detector: str | None = None
    aligner: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    replaces: frozenset[str] | None = None
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class ExtractResult:
    """How many frames were read and faces written, and the file names of the faces."""

    frames: int
    faces: tuple[str, ...]
    alignments: Path


@dataclass(frozen=True, slots=True)
class TrainEvent:
    """Something that happened while training.

    `kind` is "command" (text is the exact command line; before the first loss), "loss" (losses filled; `left` are the
    run's remaining seconds where the engine counts them), "saved",
    "preview" (path filled; drawn about then: a reader may be behind or ahead), "log" or "warning" (text filled).
    """

    kind: str
    iteration: int
    loss_a: float | None = None
    loss_b: float | None = None
    path: Path | None = None
    text: str = ""
    left: float | None = None


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Train on two folders of faces. `iterations` counts this run, as faceswap's `-i` does; a model that is there
    is gone on with. `until` instead is the model's total at which the run ends: a run that was killed goes on to the
    same end, with the embedded engine to the same weights. `minutes` count from the first iteration, which loads much;
    of them the embedded engine teaches its occlusion mask, too.
    `covered` are the file names of faces that people call covered. `painted` says of A's faces, by file name, what
    people painted as covering them: bits of a square mask over `canvas_matrix`'s canvas, rows from the top, in
    hexadecimal digits.

    Stops after a save on SIGINT (KeyboardInterrupt in this process), SIGTERM and SIGHUP.
    """

    faces_a: Path
    faces_b: Path
    model_dir: Path
    work_dir: Path
    model: str = "original"
    iterations: int = 1000
    batch_size: int = 16
    save_every: int = 250
    seed: int = 1
    warp_to_landmarks: bool = False
    timelapse: bool = True
    minutes: float | None = None
    until: int | None = None
    covered: frozenset[str] = frozenset()
    painted: Mapping[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Where training stands. `iterations` is the model's total; `stopped` is "done", "interrupted" or "time"."""

    iterations: int
    stopped: str
    loss_a: float | None
    loss_b: float | None
    preview: Path | None
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A film that was made before, of which everything outside `ranges` stays; in `swapped` it shows swapped faces."""

    film: Path
    ranges: tuple[FrameRange, ...]
    swapped: tuple[FrameRange, ...]

    def drawn_anew(self, number: int) -> bool:
        """Whether a frame is made anew."""
        return any(number in part for part in self.ranges)

    def shows_swap(self, number: int) -> bool:
        """Whether a frame that stays shows a swapped face."""
        return not self.drawn_anew(number) and any(number in part for part in self.swapped)


@dataclass(frozen=True, slots=True)
class ConvertRequest:
    """Swap side A's faces in `source` for side B's, only where `alignments` has a face.

    `ranges` empty means all frames; frames of `skip` keep their original pixels, and over `fade` frames beside them the
    swap comes and goes (`share_at`). The result is the source but for the
    swapped pixels: an mp4, mov or mkv by the ending of `output`, or a folder of PNGs where it has none. `codec`, `crf`
    and `preset` are those of `encodings.Encoding`; `rate` is that of a folder of frames (None: 25 a second). `mask` is
    "extended", "components" or "none", or another that the engine has; `color` is "avg-color", "seamless-clone",
    "match-hist" or "none". `metadata` goes into the result's tags; with `label` it is also written into the picture
    that faces were changed, and swapped frames carry `mark`, a number below 2**40, in their pixels. With `kept`, whose
    ranges are those of the request, all other frames are that film's.
    """

    source: Path
    alignments: Path
    model_dir: Path
    output: Path
    work_dir: Path
    ranges: tuple[FrameRange, ...] = ()
    skip: tuple[FrameRange, ...] = ()
    fade: int = 0
    mask: str = "extended"
    color: str = "avg-color"
    writer: str = "ffmpeg"
    side_by_side: Path | None = None
    contact_sheet: Path | None = None
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    rate: Fraction | None = None
    label: bool = False
    mark: int | None = None
    kept: Kept | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def share_at(self, number: int) -> float:
        """`swap_share` of a frame of this request."""
        return swap_share(number, self.skip, self.fade)


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """`frames` written, `swapped` of them showing a swap (`spans` says which), `faces` swapped in them; `notes` says
    what of the source is not in it. `hidden` are frames of those where most of a face that should be swapped stayed as
    it was, because something looks to lie before it."""

    output: Path
    frames: int
    swapped: int
    faces: int
    has_sound: bool
    notes: tuple[str, ...] = ()
    spans: tuple[FrameRange, ...] = ()
    hidden: tuple[FrameRange, ...] = ()


class Engine(Protocol):
    """Extracts, trains and converts. Engines hold no state between calls but their settings."""

    @property
    def name(self) -> str: ...

    def check(self) -> EngineReport: ...

    def versions(self) -> dict[str, str]:
        """What works here, for the record of a run: program or package → version. Starts nothing."""
        ...

    def settings(self) -> list[str]:
        """What the workspace sets for every run, one line each; it goes into the runs' records."""
        ...

    def check_options(self, step: Step, options: Mapping[str, str]) -> None:
        """Raise EngineError for an option that means nothing in a step; each step does so by itself, too."""
        ...

    def extract(self, request: ExtractRequest, progress: Progress) -> ExtractResult: ...

    def train(self, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult: ...

    def trained(self, model_dir: Path, model: str) -> int:
        """How many iterations the model in this folder has; 0 where none is."""
        ...

    def convert(self, request: ConvertRequest, progress: Progress) -> ConvertResult: ...
