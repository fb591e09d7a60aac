"""What a side's model says, kept under `reports/taught-<side>-<question>.npz` until faces or answers change.

So looking at a workspace (`status`, pages, a dry run) teaches nothing anew, in this process or in another.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...curation.files import write_atomic
from ...curation.learn.annotator import Earned, Record
from ...curation.learn.features import Features
from ...curation.learn.verdicts import Taught, teach
from ...curation.learn.voters import Answers, hear
from ...curation.types import Question, Side
from ..app import App
from .screening import taught_path

__all__ = ["taught_once"]


def taught_once(app: App, side: Side, question: Question, features: Features, answers: Answers) -> Taught:
    """What `teach` gives, read where it was found before for the same faces and answers."""
    path, digest = taught_path(app, side, question), _digest(features, answers)
    kept = _read(path, digest)
    if kept is not None:
        spoken, against = answers.counts()
        return Taught(hear(answers, features.groups, kept[0]), *kept, spoken + against)
    taught = teach(features, answers)
    if len(answers.faces) or np.isfinite(answers.known).any():
        _write(path, digest, taught)
    return taught


def _digest(features: Features, answers: Answers) -> str:
    """The same as long as the release, the faces' features and the answers are the same."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=16)
    looks = np.full(len(answers.faces), -1) if answers.looks is None else answers.looks
    shown = np.zeros((0, 2)) if answers.shown is None else answers.shown
    drawn = np.zeros(0) if answers.drawn is None else answers.drawn
    said = (answers.faces, answers.workers, answers.pages, answers.good, answers.known, looks, shown, drawn)
    for column in (features.matrix, features.groups, *said):
        digest.update(f"{column.dtype.str}{column.shape}".encode())
        digest.update(np.ascontiguousarray(column).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _read(path: Path, digest: str) -> tuple[NDArray[np.float64], Record] | None:
    if not path.is_file():
        return None
    with np.load(path) as kept:
        if str(kept["digest"]) != digest:
            return None
        (right, wrong), (slope, shift) = kept["counts"].tolist(), kept["line"].tolist()
        good, bad = (Earned(kept[f"{kind}_level"], kept[f"{kind}_most"]) for kind in ("good", "bad"))
        return kept["said"], Record((tuple(right), tuple(wrong)), slope, shift, good, bad)


def _write(path: Path, digest: str, taught: Taught) -> None:
    record, file = taught.record, io.BytesIO()
    np.savez(
        file,
        digest=np.array(digest),
        said=taught.said,
        counts=np.array(record.counts),
        line=np.array([record.slope, record.shift]),
        good_level=record.good.level,
        good_most=record.good.most,
        bad_level=record.bad.level,
        bad_most=record.bad.most,
    )
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, file.getvalue())
