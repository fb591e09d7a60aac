"""Why faceswap stopped, in words with a remedy, from its exit code and last lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Missing", "WeightsWatch", "diagnose"]

# (pattern in the output, cause, remedy); the first that fits is told. The patterns were seen in the output or stand in
# the sources of v2.3.0 and master (acdcfa87).
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"NaN was detected|NaN Detected",
        "the loss became NaN: the weights are spoilt",
        (
            "Go back to the last good save (the .bk files in the model folder) and train with a lower learning rate "
            "(learning_rate in faceswap/train.ini of the workspace) or without mixed precision."
        ),
    ),
    (
        (
            r"ResourceExhaustedError|OOM when allocating|CUDA out of memory|OutOfMemoryError|not enough GPU memory|"
            r"do not have enough GPU memory"
        ),
        "the graphics card ran out of memory",
        "Train with a smaller batch (galloway train --batch-size 4) or a lighter model (--model lightweight).",
    ),
    (
        r"MemoryError|ran out of RAM|DefaultCPUAllocator|Cannot allocate memory|std::bad_alloc|failed to map segment",
        "the machine ran out of memory",
        "Use a smaller batch (galloway train --batch-size 4) or a lighter model, or close other programs.",
    ),
    (
        r"No space left on device|Disk quota exceeded|Errno 28",
        "the disk is full",
        "Free some space (old snapshots beside the model folder are large) and run the same command again.",
    ),
    (
        r"No module named 'tensorflow'",
        "Keras was told to use TensorFlow, which this line does not have",
        "Unset KERAS_BACKEND and remove ~/.keras/keras.json, then see: galloway doctor",
    ),
    (
        r"EOFError|EOF when reading a line",
        "it asked which backend to use",
        "Set FACESWAP_BACKEND to cpu, nvidia or rocm; see: galloway doctor",
    ),
    (
        r"supported PyTorch is version",
        "its Torch is too old or too new",
        "Install Torch 2.3 to 2.12 into faceswap's own Python; see: galloway doctor",
    ),
    (
        r"torchvision::nms does not exist",
        "its torchvision does not belong to its Torch",
        "Install the pair of one release (Torch 2.9 with torchvision 0.24); see: galloway doctor",
    ),
    (
        r"field: NDArray|cannot unpack non-iterable NoneType",
        "it could not read a face",
        (
            "With NumPy 2.5 master can read none (galloway doctor says which is there): pip install 'numpy>=2.4,<2.5' "
            "into faceswap's own Python. Otherwise one is damaged: galloway faceset verify FOLDER"
        ),
    ),
    (
        r"fewer than 25 images",
        "one side has fewer than 25 faces",
        "Extract or approve more faces: galloway status",
    ),
    (
        r"contains images that are not extracted faces|Invalid face image found|non-faceswap extracted faces",
        "a training folder holds pictures without faceswap's header",
        "Find them: galloway faceset verify FOLDER",
    ),
    (
        r"does not contain the selected mask|does not have this mask stored",
        "faces lack the mask that was chosen",
        "Choose --mask extended or components, or add the mask with faceswap's mask tool.",
    ),
    (
        r"68 Point facial Landmarks are required",
        "warp-to-landmarks needs 68 landmarks on each face",
        "Train without --warp-to-landmarks, or extract again with an aligner that gives 68 points.",
    ),
    (
        r"Unable to load the model|unable to open object|bad superblock|not a zip file|truncated file",
        "the model file is damaged",
        "Rename the .bk files in the model folder back to their names and run the same command again.",
    ),
    (
        r"Not a valid alignments file|No alignments file found|no alignments file could be found",
        "there is no alignments file it can use",
        "Extract first: galloway extract",
    ),
)


# How the files of detectors and aligners begin, in both lines; other weights are of masks and of who somebody is.
_FINDS_FACES = ("s3fd", "mtcnn", "retinaface", "resnet_ssd", "face-alignment-network", "hrnet", "cnn-facial-landmark")


@dataclass(frozen=True, slots=True)
class Missing:
    """Weights that faceswap lacks: where it looked for them, empty where it did not say, and what went wrong. `torn`
    where what it fetched is no use, now or when it goes on with it."""

    address: str
    why: str
    torn: bool = False

    def told(self, what: str, folder: Path) -> str:
        """What is missing, where it is had and where it belongs; `folder` holds the weights."""
        file = self.address.rsplit("/", 1)[-1]
        if self.torn:
            told = (
                f"{file or 'weights'} came, but cannot be unpacked ({self.why}): the download was cut off, a page came "
                f"in its place, or the disk is full. Delete {self._left(file, folder)} in {folder}, then run the same "
                "command again."
            )
        elif file:
            told = (
                f"{file} is not there and could not be fetched ({self.why}). "
                f"Fetch it from {self.address} and unzip it into {folder}, then run the same command again."
            )
        else:
            told = f"weights are not there and could not be fetched. Put them into {folder}."
        if file.startswith(_FINDS_FACES):
            told += " Our own detections need none: galloway extract --engine faceswap --detector galloway"
        return f"faceswap's {what} stopped: {told}"

    def _left(self, file: str, folder: Path) -> str:
        """What there is to delete: the archive, and weights that were half unpacked, which would be taken for whole."""
        stem = file.removesuffix(".zip")
        names = [path.name for path in sorted(folder.glob(f"{stem}*" if stem else "*.zip"))]
        return " and ".join(names or [file or "the .zip"])


class WeightsWatch:
    """Notices in what faceswap says, line by line, that it lacks weights; `missing` is then told."""

    def __init__(self) -> None:
        self.missing: Missing | None = None
        self._address = ""

    def feed(self, text: str) -> None:
        """Take the text of one log line; the words are those of both lines' `GetModel`."""
        if (found := re.match(r"Downloading model: .* from: (\S+)", text)) is not None:
            self._address = found[1]
        elif (
            found := re.match(r"Failed to download model\. Exiting\.(?: \(Error: '(.*)', URL: '(.*)'\))?", text)
        ) is not None:
            # 416: it asks for the rest of an archive that has none and is no archive.
            why = found[1] or ""
            self.missing = Missing(found[2] or self._address, why, torn="HTTP Error 416" in why)
        elif (found := re.match(r"Unable to extract model file: (.*)", text)) is not None:
            self.missing = Missing(self._address, found[1], torn=True)


def diagnose(what: str, returncode: int, lines: Sequence[str]) -> str:
    """One message: what stopped, why, what to do. `lines` are the last ones of both streams."""
    text = "\n".join(lines)
    for pattern, cause, remedy in _KNOWN:
        if re.search(pattern, text, re.IGNORECASE):
            return f"faceswap's {what} stopped: {cause}. {remedy}"
    if returncode in (-9, 137):
        return (
            f"faceswap's {what} was killed (SIGKILL), by the system for want of memory or by hand. "
            "Run the same command again to go on from the last save; a smaller batch needs less memory."
        )
    if returncode in (-6, -11):
        return (
            f"faceswap's {what} broke off (signal {-returncode}); TensorFlow and Torch end so where memory runs out. "
            "Run the same command again to go on from the last save; a smaller batch (galloway train --batch-size 4) "
            "or a lighter model needs less memory."
        )
    if returncode < 0:
        return f"faceswap's {what} was ended by signal {-returncode}. Run the same command again to go on."
    errors = [line for line in lines if re.search(r"\b(ERROR|CRITICAL)\b|Error:|error:|^[\w.]+Error$", line)] or list(
        lines
    )
    said = " | ".join(line.strip() for line in errors[-3:]) or "it said nothing"
    return f"faceswap's {what} failed with exit code {returncode}: {said}. See its log, and: galloway doctor"
