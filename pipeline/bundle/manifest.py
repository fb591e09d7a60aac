"""`bundle.json`: what a packed training is, complete enough to run it where nothing else of the workspace is.

It names nobody: people stand in it as fingerprints of their consent records. What it was read from is not trusted:
names are file names, digests are checked before anything is unpacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...curation.errors import FacesetError
from ...curation.files import check_name, read_bounded, write_atomic
from ..errors import StageError
from ..stages.train import TrainOptions

__all__ = ["MANIFEST", "BundleError", "Manifest", "Pack", "read_manifest", "write_manifest"]

MANIFEST = "bundle.json"
_FORMAT, _VERSION = "galloway-bundle", 1
_MOST_BYTES = 64 * 1024 * 1024


class BundleError(StageError):
    """A bundle that cannot be read or run, or a machine that cannot be reached; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One side's approved faces in one file: its name, its SHA-256, how many faces, and the faceset's own digest."""

    file: str
    sha256: str
    faces: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A packed training. `run` is the run's name in its workspace, `start` file name → SHA-256 of the model that is
    gone on with, `covered` and `painted` as in `TrainRequest`, `consents` side → fingerprints, `versions` what it was
    packed with."""

    run: str
    engine: str
    options: TrainOptions
    packs: dict[str, Pack]
    wheel: str
    wheel_sha256: str
    covered: tuple[str, ...] = ()
    painted: Mapping[str, str] = field(default_factory=dict)
    start: dict[str, str] = field(default_factory=dict)
    consents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    faceswap_home: str = ""
    faceswap_python: str = ""


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write `bundle.json`, whole or not at all."""
    path = folder / MANIFEST
    options = {**asdict(manifest.options), "options": dict(manifest.options.options)}
    value = {"format": _FORMAT, "version": _VERSION, **asdict(manifest), "options": options}
    write_atomic(path, json.dumps(value, indent=2) + "\n")
    return path


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle. Raises BundleError where there is none, or none that this Galloway knows."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder} holds no {MANIFEST}: it is no bundle. Make one: galloway bundle make")
    try:
        value = json.loads(read_bounded(path, _MOST_BYTES))
    except (OSError, ValueError, FacesetError) as error:
        raise BundleError(f"{path} cannot be read ({error}). Make the bundle again: galloway bundle make") from error
    try:
        return _manifest(value)
    except (KeyError, TypeError, ValueError, AttributeError, FacesetError) as error:
        raise BundleError(
            f"{path} is no bundle of this Galloway ({type(error).__name__}: {error}). Make it again with the same "
            "version: galloway bundle make"
        ) from error


def _manifest(value: dict[str, Any]) -> Manifest:
    if (value.pop("format"), value.pop("version")) != (_FORMAT, _VERSION):
        raise ValueError("another format")
    options = dict(value.pop("options"))
    options["options"] = tuple(sorted((str(key), str(text)) for key, text in options["options"].items()))
    packs = {side: Pack(**pack) for side, pack in value.pop("packs").items()}
    if sorted(packs) != ["a", "b"]:
        raise ValueError("not two sides")
    consents = {side: tuple(items) for side, items in value.pop("consents").items()}
    found = Manifest(
        **{**value, "covered": tuple(value["covered"])}, options=TrainOptions(**options), packs=packs, consents=consents
    )
    if not all(isinstance(text, str) for pair in found.painted.items() for text in pair):
        raise TypeError("painted masks are texts")
    for name in (found.run, found.wheel, *found.start, *found.painted, *(pack.file for pack in packs.values())):
        check_name(name, where=MANIFEST)
    return found
