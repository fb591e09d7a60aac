"""What a person's faces went into: sources → approved facesets → models → films."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...curation.types import Side
from ..workspace.approved import ApprovedFaceset, facesets
from ..workspace.records import ingested_at, sources
from ..workspace.runs import Run, runs
from ..workspace.state import json_object
from ..workspace.traces import same_name
from .record import ConsentRecord

if TYPE_CHECKING:
    from ..app import App
    from ..workspace.folder import Workspace

__all__ = ["Film", "Lineage", "facesets_of_model", "film_marked", "lineage", "note_film"]

_FILMS = "films.jsonl"


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was made: where it was written, its SHA-256, the training run, when, and the mark in its pixels
    (`mark_code.mark_name`; empty in films from before there was one)."""

    path: str
    sha256: str
    run: str
    made_at: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Everything that a person's faces are in. A faceset of a side counts if it was approved after the person's first
    source of that side came in: which of its faces are theirs only the pictures know."""

    sources: tuple[str, ...]
    facesets: tuple[ApprovedFaceset, ...]
    models: tuple[str, ...]
    films: tuple[Film, ...]

    def lines(self) -> list[str]:
        """One line a thing, for people."""
        return [
            *(f"source: {item}" for item in self.sources),
            *(
                f"faceset: side {item.side.value}, {item.id}, approved {item.approved_at:%d %b %Y}"
                for item in self.facesets
            ),
            *(f"model: {item}" for item in self.models),
            *(f"film: {item.path} ({item.run})" for item in self.films),
        ]


def lineage(app: App, record: ConsentRecord) -> Lineage:
    """What was made of the person's faces, known from the records of merges, trainings and conversions alone."""
    mine = [item for item in sources(app.workspace) if same_name(item.person, record.person)]
    sides = {item.side for item in mine} | {Side(item.side) for item in record.material}
    sets = [item for side in Side if side in sides for item in facesets(app.workspace, side)]
    # Since a withdrawal it is known which ones; those approved after it are merged without the person.
    withdrawn = record.withdrawn_at is not None
    came = ingested_at(app.workspace)
    since = min((record.since or record.recorded_at, *(came[item.id] for item in mine)))
    held = [item for item in sets if item.id in record.barred or (not withdrawn and item.approved_at >= since)]
    names = {item.id for item in held} | set(record.barred)
    trained = [run for run in runs(app.workspace) if _learnt_from(run, names)]
    models = {run.record["model_dir"] for run in trained}
    films = [film for run in runs(app.workspace) if run.record["model_dir"] in models for film in _films(run.folder)]
    listed = {f"side {item.side}, {item.name}" for item in record.material}
    listed |= {f"side {item.side.value}, {item.name}" for item in mine}
    return Lineage(tuple(sorted(listed)), tuple(held), tuple(sorted(models)), tuple(films))


def facesets_of_model(app: App, model_dir: str) -> set[str]:
    """The ids of all facesets that the model in this folder (relative to the workspace) was ever trained on."""
    return {
        item["id"]
        for run in runs(app.workspace)
        if run.record["model_dir"] == model_dir
        for item in run.record["facesets"].values()
    }


def film_marked(workspace: Workspace, mark: str) -> Film | None:
    """The film of this workspace that carries that mark."""
    made = (film for run in runs(workspace) for film in _films(run.folder))
    return next((film for film in made if film.mark == mark), None)


def note_film(run: Run, film: Path, root: Path, record: dict[str, Any]) -> None:
    """Note beside the training run that a film was made with its model, wherever it was written."""
    path = film.resolve()
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    line = {"path": shown, "sha256": record["sha256"], "run": run.id, "made_at": record["made_at"]}
    line["mark"] = record.get("mark", "")
    with (run.folder / _FILMS).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")


def _learnt_from(run: Run, names: Collection[str]) -> bool:
    return any(item["id"] in names for item in run.record["facesets"].values())


def _films(folder: Path) -> list[Film]:
    """The films noted beside a run, oldest first; a line cut off by a kill is left out."""
    path = folder / _FILMS
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        values = json_object(line)
        if values is not None and {"path", "sha256", "run", "made_at"} <= set(values):
            found.append(Film(*(str(values.get(key, "")) for key in ("path", "sha256", "run", "made_at", "mark"))))
    return found
