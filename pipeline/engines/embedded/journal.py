"""The journal of an extraction: one line for each frame that is done, written after the frame's PNGs.

A run that was killed reads it, passes over what is done and goes on; a line that was cut off is dropped.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....curation.errors import UnsafeFile
from ....curation.faceset.png.types import FaceAlignment
from ....curation.files import check_name
from ..base import EngineError
from ..frames import Source
from ..landmark_masks import landmark_masks

__all__ = ["Done", "Journal", "alignment_of"]


@dataclass(frozen=True, slots=True)
class Done:
    """One line of the journal: a frame with its faces and the names of their PNGs."""

    number: int
    name: str
    faces: tuple[FaceAlignment, ...]
    files: tuple[str, ...]

    def to_json(self) -> str:
        faces = [
            {
                "box": list(face.box),
                "landmarks": np.round(face.landmarks.astype(float), 2).tolist(),
                "thumb": base64.b64encode(face.thumb or b"").decode("ascii"),
            }
            for face in self.faces
        ]
        return json.dumps(
            {"number": self.number, "name": self.name, "files": list(self.files), "faces": faces},
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str) -> Done:
        value = json.loads(line)
        faces = tuple(
            alignment_of(_four(face["box"]), np.array(face["landmarks"], np.float32), base64.b64decode(face["thumb"]))
            for face in value["faces"]
        )
        # These names are joined to a folder, and deleted: a journal may have come with a stranger's workspace.
        files = tuple(check_name(name, where="The journal of an extraction") for name in value["files"])
        return cls(int(value["number"]), str(value["name"]), faces, files)


def _four(box: list[int]) -> tuple[int, int, int, int]:
    x, y, width, height = box
    return x, y, width, height


def alignment_of(box: tuple[int, int, int, int], landmarks: NDArray[np.float32], thumb: bytes) -> FaceAlignment:
    """A face as it stands in the alignments, its masks drawn from its landmarks (68, 2)."""
    return FaceAlignment(*box, landmarks=landmarks, masks=landmark_masks(landmarks), thumb=thumb)


class Journal:
    """What was asked and which frames are done; lines cut off by a kill are dropped when it is opened."""

    def __init__(self, path: Path, asked: dict[str, Any]) -> None:
        self.path = path
        self.done: dict[int, Done] = {}
        self.complete = False
        self.same_request = True
        if path.is_file():
            try:
                self._read(asked)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError, UnsafeFile) as error:
                raise EngineError(
                    f"{path} is damaged ({error}). Nothing was changed. Delete it: the extraction begins anew."
                ) from error
        if not path.is_file() or not self.same_request:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._first_line = json.dumps({"asked": asked})
        else:
            self._first_line = ""

    def _read(self, asked: dict[str, Any]) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        lines = whole.decode("utf-8").splitlines()
        if not lines:
            self.path.unlink()
            return
        before = json.loads(lines[0]).get("asked")
        for line in lines[1:]:
            if line == '"complete"':
                self.complete = True
            else:
                frame = Done.from_json(line)
                self.done[frame.number] = frame
        if self.complete and isinstance(before, dict):
            before["version"] = asked["version"]
        self.same_request = before == asked
        if len(whole) < len(data):
            with self.path.open("r+b") as stream:
                stream.truncate(len(whole))

    def restart(self, faces_dir: Path, source: Source) -> None:
        """Forget an unfinished run with other settings: its PNGs go, they are nobody's yet. Some may not be in the
        journal, because frames are written side by side."""
        for frame in self.done.values():
            for name in frame.files:
                (faces_dir / name).unlink(missing_ok=True)
        if source.is_video and faces_dir.is_dir():
            own = re.compile(re.escape(source.path.stem) + r"_\d{6,}_\d+\.png")
            for path in faces_dir.iterdir():
                if own.fullmatch(path.name):
                    path.unlink()
        self.path.unlink()
        self.done.clear()

    def begin(self) -> None:
        """Say what was asked before the first PNG is written, so that a killed run's are known by it."""
        if self._first_line:
            self._append("")

    def add(self, frame: Done) -> None:
        self.done[frame.number] = frame
        self._append(frame.to_json())

    def finish(self) -> None:
        self.complete = True
        self._append('"complete"')

    def _append(self, line: str) -> None:
        with self.path.open("a", encoding="utf-8") as stream:
            if self._first_line:
                stream.write(self._first_line + "\n")
                self._first_line = ""
            if line:
                stream.write(line + "\n")
