"""One ffmpeg command that mends everything found at once, and its careful execution."""

from __future__ import annotations

import json
import logging
import subprocess
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from shlex import join
from typing import Any

from ...curation.files import PICTURE_SUFFIXES, replacing, write_atomic
from ..errors import NothingToDo, StageError
from ..wording import typed
from .facts import VideoFacts, measure, sha256_of
from .findings import HDR, Finding, find
from .opening import FFMPEG_INPUT

__all__ = ["FixResult", "VideoError", "VideoReport", "check_video", "fix_command", "fix_video", "record_path"]

logger = logging.getLogger(__name__)


class VideoError(StageError):
    """A video cannot be checked or mended; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class VideoReport:
    """A video's facts and findings. `sha256` and `size` are those of the file that was read."""

    path: Path
    sha256: str
    size: int
    facts: VideoFacts
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing in it will surprise: at most notes."""
        return all(finding.severity == "note" for finding in self.findings)

    @property
    def fixable(self) -> bool:
        """Whether `fix_video` has something to do and can do it."""
        return self.facts.readable and not self.ok

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`; the path is left out."""
        facts = {key: _plain(value) for key, value in asdict(self.facts).items()}
        return {
            "name": self.path.name,
            "sha256": self.sha256,
            "bytes": self.size,
            "ok": self.ok,
            "fixable": self.fixable,
            "frames": self.facts.frames,
            "findings": [asdict(finding) for finding in self.findings],
            "facts": facts,
        }


@dataclass(frozen=True, slots=True)
class FixResult:
    """A mended video. `command` is exactly what ran; `record` the JSON that keeps counts and hashes."""

    output: Path
    command: tuple[str, ...]
    before: VideoReport
    after: VideoReport
    record: Path


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Fraction) else value


def check_video(path: Path, *, decode: bool = True) -> VideoReport:
    """Read `path` and say what about it breaks face swaps.

    Every frame is decoded (`decode` False: only packets are read). A broken video gives a report, not an error;
    raises VideoError where there is no such file.
    """
    if not path.is_file():
        raise VideoError(f"{path} is not a file. Name a video: galloway video check VIDEO")
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise VideoError(
            f"{path} is a picture, not a video. Ingest it as it is: galloway ingest --side b {typed(path)}"
        )
    facts = measure(path, decode=decode)
    return VideoReport(path, sha256_of(path), path.stat().st_size, facts, find(facts))


def record_path(output: Path) -> Path:
    """Where the counts and hashes of a mended `output` are kept."""
    return output.with_name(output.name + ".fix.json")


def fix_command(report: VideoReport, output: Path) -> tuple[str, ...]:
    """The ffmpeg command that mends everything in `report` into the mp4 `output`.

    H.264 at a constant rate from time zero, upright, square 8-bit pixels, without B-frames (so that no reader has to
    honour an edit list to count), RGB by BT.709, sound in AAC where it was against the picture.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    facts = report.facts
    if not facts.readable:
        raise VideoError(f"{report.path} cannot be mended. {report.findings[0].why}")
    command = [get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "error", "-y"]
    if len(facts.sizes) > 1:
        command += ["-reinit_filter", "0"]  # else the count of frames begins anew where the size changes
    if facts.trouble:  # where two files were joined, a whole frame may count as corrupt
        command += ["-fflags", "+discardcorrupt"]
    command += [*FFMPEG_INPUT, "-i", str(report.path), "-map", f"0:{facts.stream}"]
    command += ["-vf", ",".join(_picture_filters(facts)), "-r", str(facts.rate), "-fps_mode", "cfr"]
    command += ["-c:v", "libx264", "-preset", "medium", "-crf", "12", "-bf", "0", "-pix_fmt", "yuv420p"]
    if facts.transfer in HDR:
        command += ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]
    if facts.sound is not None:
        command += ["-map", "0:a:0", "-af", _sound_filter(facts), "-c:a", "aac", "-b:a", "192k"]
    return (
        *command,
        "-map_metadata",
        "0",
        "-movflags",
        "+faststart",
        f"./{output}" if str(output).startswith("-") else str(output),
    )


def _picture_filters(facts: VideoFacts) -> list[str]:
    """Filters in the order of need; ffmpeg itself has turned the picture by its flag before the first."""
    filters = [f"trim=end_frame={facts.frames - facts.torn}"] if facts.torn else []
    if len(facts.sizes) > 1:
        size = f"{facts.width}:{facts.height}"
        filters += [f"scale={size}:force_original_aspect_ratio=decrease:eval=frame", f"pad={size}:-1:-1:eval=frame"]
    if facts.interlaced:
        filters.append("bwdif=mode=send_frame")
    if facts.transfer in HDR:
        filters.append(f"zscale=tin={facts.transfer}:pin=bt2020:min=bt2020nc:t=linear:npl=100,format=gbrpf32le")
        filters.append("zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv")
    if _is_rgb(facts):  # without a word ffmpeg takes BT.601, at every size
        filters.append("scale=out_color_matrix=bt709:out_range=tv,format=yuv444p")
        filters.append("setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709")
    filters += _size_filters(facts)
    if facts.off_grid > 0.25:
        filters += ["setpts=PTS-STARTPTS", f"fps={facts.rate}"]
    else:
        # One frame out for each frame in, whatever the container's clock rounds to.
        filters.append(f"setpts=N/({facts.rate})/TB")
    return [*filters, "format=yuv420p"]


def _is_rgb(facts: VideoFacts) -> bool:
    import av

    return facts.pixel_format == "pal8" or bool(av.VideoFormat(facts.pixel_format, 16, 16).is_rgb)


def _size_filters(facts: VideoFacts) -> list[str]:
    width, height = facts.shown_size
    right, bottom = width % 2, height % 2
    if facts.pixel_aspect != 1:
        return [f"scale={width + right}:{height + bottom}:flags=lanczos", "setsar=1"]
    if not (right or bottom):
        return []
    return [
        "format=yuv444p",
        f"pad={width + right}:{height + bottom}",
        f"fillborders=right={right}:bottom={bottom}:mode=smear",
    ]


def _sound_filter(facts: VideoFacts) -> str:
    """Move the sound with the picture to time zero: what came before it is cut, a gap becomes silence.

    ffmpeg starts the file's clock at its earliest stream, so the picture's start counts from there.
    """
    lead = facts.start - facts.file_start
    cut = f"atrim=start={lead:.6f},asetpts=PTS-{lead:.6f}/TB," if lead > 0.001 else ""
    return f"{cut}aresample=async=1:first_pts=0"


def fix_video(report: VideoReport, output: Path) -> FixResult:
    """Mend `report.path` into `output` (an mp4) and check the result.

    `output` appears only when it is whole and nothing is wrong with it; beside it `<output>.fix.json` keeps the
    command, counts and SHA-256 before and after. Doing it again with the same source and result changes nothing.
    Raises NothingToDo where there is nothing to mend, VideoError where ffmpeg fails or the result is not clean.
    """
    if report.ok:
        raise NothingToDo(f"{report.path} needs no mending.")
    if output.suffix.lower() != ".mp4" or output.resolve() == report.path.resolve():
        raise VideoError(
            f"{output} cannot take the mended video: name another file that ends in .mp4, e.g. "
            f"galloway video fix {typed(report.path)} -o {typed(f'{report.path.stem}_fixed.mp4')}"
        )
    command = fix_command(report, output)
    done = _already_done(report, output, command)
    if done is not None:
        return done
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as partial:
        _run((*command[:-1], str(partial)), report.path)
        after = check_video(partial)
        left = [finding.what for finding in after.findings if finding.severity != "note"]
        if left:
            raise VideoError(f"{report.path} was not mended cleanly: {' '.join(left)} Try by hand: {join(command)}")
        result = FixResult(
            output,
            command,
            report,
            VideoReport(output, after.sha256, after.size, after.facts, after.findings),
            record_path(output),
        )
    _write_record(result)
    return result


def _run(command: tuple[str, ...], source: Path) -> None:
    logger.info("mending %s", source.name)
    run = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    if run.returncode != 0:
        last = run.stderr.strip().splitlines()[-3:]
        raise VideoError(f"ffmpeg could not mend {source}: {' '.join(last)} The command was: {join(command)}")


def _write_record(result: FixResult) -> None:
    record = {
        "command": _anonymous(result.command, result.before.path, result.output),
        "before": result.before.to_json(),
        "after": result.after.to_json(),
    }
    write_atomic(result.record, json.dumps(record, indent=2) + "\n")


def _anonymous(command: tuple[str, ...], source: Path, output: Path) -> list[str]:
    """The command with names instead of absolute paths: a workspace may be moved."""
    names = {command[0]: "ffmpeg", str(source): source.name, str(output): output.name}
    return [names.get(part, part) for part in command]


def _already_done(report: VideoReport, output: Path, command: tuple[str, ...]) -> FixResult | None:
    """The earlier result, if `output` is what this command made of this very source."""
    record = record_path(output)
    if not (output.is_file() and record.is_file()):
        return None
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
        same = kept["command"] == _anonymous(command, report.path, output)
        same = same and kept["before"]["sha256"] == report.sha256 and kept["after"]["sha256"] == sha256_of(output)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return FixResult(output, command, report, check_video(output), record) if same else None
