"""Today's switches of both lines, as their own parsers name them (recorded from v2.3.0 and master acdcfa87)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

__all__ = ["Today", "todays"]


@dataclass(frozen=True, slots=True)
class Today:
    """A switch under all its names; `choices` is empty where it takes anything."""

    names: tuple[str, ...]
    takes: Literal["none", "one", "some"]
    choices: tuple[str, ...]


_CARDS = "-X/--exclude-gpus*"
"""Where there are graphics cards; the recording was made without."""
_COMMON = "-C/--configfile -L/--loglevel=INFO|VERBOSE|DEBUG|TRACE -F/--logfile @v2.3.0 -gui/--gui! @master -G/--gui! @"
_MASKERS = "custom|unet-dfl|vgg-clear|vgg-obstructed"
_MASKS = (
    "none|bisenet-fp_face|bisenet-fp_head|components|custom_face|custom_head|extended|unet-dfl|vgg-clear|"
    "vgg-obstructed|predicted"
)
_SORTS = (
    "none|blur|blur-fft|distance|face|face-cnn|face-cnn-dissim|yaw|pitch|roll|hist|hist-dissim|color-black|"
    "color-gray|color-luma|color-green|color-orange|size"
)
_TABLE = {
    "extract": f"""
        -i/--input-dir -o/--output-dir -p/--alignments -b/--batch-mode! -M/--masker*=bisenet-fp|{_MASKERS}
        -O/--normalization=none|clahe|hist|mean -R/--re-feed -a/--re-align! -r/--rotate-images -m/--min-size
        -n/--nfilter* -f/--filter* -l/--ref_threshold -z/--size -N/--extract-every-n -v/--save-interval
        -B/--debug-landmarks! -s/--skip-existing! -e/--skip-existing-faces!
        @v2.3.0 -D/--detector=cv2-dnn|external|mtcnn|s3fd -A/--aligner=cv2-dnn|external|fan -I/--identity!
        -P/--singleprocess! -K/--skip-saving-faces!
        @master -D/--detector=cv2-dnn|mtcnn|retinaface|s3fd|file -A/--aligner=cv2-dnn|fan|hrnet|file
        -I/--identity*=t-face|vggface2 -x/--max-size -g/--align-filters! -u/--min-scale -c/--compile! -k/--benchmark!
        """,
    "train": """
        -A/--input-A -B/--input-B -m/--model-dir -l/--load-weights
        -t/--trainer=dfaker|dfl-h128|dfl-sae|dlight|iae|lightweight|original|phaze-a|realface|unbalanced|villain
        -u/--summary! -f/--freeze-weights! -b/--batch-size -i/--iterations -a/--warmup -n/--no-logs!
        -r/--use-lr-finder! -s/--save-interval -I/--snapshot-interval -x/--timelapse-input-A -y/--timelapse-input-B
        -z/--timelapse-output -p/--preview! -w/--write-image! -M/--warp-to-landmarks! -P/--no-flip!
        -c/--no-augment-color! -W/--no-warp!
        @v2.3.0 -D/--distribution-strategy=default|central-storage|mirrored @master -d/--distributed!
        """,
    "convert": f"""
        -i/--input-dir -o/--output-dir -p/--alignments -r/--reference-video -m/--model-dir -M/--mask-type={_MASKS}
        -c/--color-adjustment=none|avg-color|color-transfer|manual-balance|match-hist|seamless-clone
        -w/--writer=ffmpeg|gif|opencv|patch|pillow -O/--output-scale -R/--frame-ranges* -S/--face-scale
        -a/--input-aligned-dir -n/--nfilter* -f/--filter* -l/--ref_threshold -j/--jobs -T/--on-the-fly!
        -k/--keep-unchanged! -s/--swap-model! -P/--singleprocess!
        """,
    "alignments": """
        -j/--job=draw|extract|export|from-faces|missing-alignments|missing-frames|multi-faces|no-faces|remove-faces|rename|sort|spatial
        -o/--output=console|file|move -a/--alignments_file -c/-faces_folder -r/-frames_folder -B/--batch-mode!
        -N/--extract-every-n -z/--size -m/--min-size
        """,
    "effmpeg": """
        -a/--action -i/--input -o/--output -r/--reference-video -R/--fps -E/--extract-filetype -s/--start -e/--end
        -d/--duration -m/--mux-audio! -T/--transpose -D/--degrees -S/--scale -q/--quiet! -v/--verbose!
        """,
    "manual": "-a/--alignments -f/--frames -t/--thumb-regen! -s/--single-process!",
    "mask": f"""
        -a/--alignments -i/--input -I/--input-type=faces|frames -B/--batch-mode!
        -p/--processing=all|missing|output|import -m/--mask-path -c/--centering=face|head|legacy -s/--storage-size
        -o/--output-folder -b/--blur_kernel -t/--threshold -O/--output-type=combined|masked|mask -f/--full-frame!
        @v2.3.0 -M/--masker=bisenet-fp|components|extended|{_MASKERS} @master -M/--masker=bisenet-fp|{_MASKERS}
        """,
    "model": "-m/--model-dir -j/--job=inference|nan-scan|restore -s/--swap-model! @v2.3.0 -f/--format=h5|saved-model",
    "preview": "-i/--input-dir -a/--alignments -m/--model-dir -s/--swap-model!",
    "sort": f"""
        -i/--input -o/--output -B/--batch-mode! -s/--sort-by={_SORTS} -g/--group-by={_SORTS}
        -k/--keep! -t/--threshold -b/--bins -l/--log-changes! -f/--log-file @master -I/--identity=t-face|vggface2
        """,
}
"""Per command: `!` takes nothing, `*` several, `=` one of these; what follows `@line` is of that line alone."""


@cache
def todays(command: str, line: str) -> tuple[Today, ...]:
    """The switches of `command` on `line`."""
    return tuple(_read(f"{_COMMON} {_CARDS} {_TABLE[command]}", line))


def _read(table: str, line: str) -> Iterator[Today]:
    of = ""
    for word in table.split():
        if word.startswith("@"):
            of = word[1:]
        elif of in ("", line):
            names, _, choices = word.partition("=")
            takes: Literal["none", "one", "some"] = {"!": "none", "*": "some"}.get(names[-1], "one")  # type: ignore[assignment]
            known = tuple(choices.split("|")) if choices else ()
            yield Today(tuple(names.rstrip("!*").split("/")), takes, known)
