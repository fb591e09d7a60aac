"""Erasing a person: their footage and references, what was made of them, and their name; or where it still stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...curation.files import write_atomic
from ...curation.types import Side
from ...mturk.requester.errors import MTurkError
from ..app import App
from ..asking.review import own_name
from ..asking.shown import clear_pictures
from ..bundle.away import away_runs
from ..consent.kept import record_of, record_path
from ..errors import StageError
from ..market.media import drop_media
from ..market.session import public_hosting
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.approved import drop_facesets
from ..workspace.bucket.mirror import agreed
from ..workspace.bucket.objects import Objects
from ..workspace.database.copying import tables_with
from ..workspace.folder import CONFIG_NAME
from ..workspace.judged import drop_reviews, rename_voter
from ..workspace.records import sources
from ..workspace.steps import rewrite_steps
from ..workspace.traces import name_pattern, names_in, same_name
from .sources import Left, Removal, delete, overwrite_databases, plan_removal, remove_references, remove_source

__all__ = ["Erasure", "erase_person", "persons", "plan_erasure"]

_ERASED = "[erased]"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What goes with a person: sources with their faces and votes, the references of `sides`, and `paths` below the
    workspace that were made of them."""

    name: str
    removals: tuple[Removal, ...]
    sides: tuple[Side, ...]
    paths: tuple[Path, ...]

    @property
    def faces(self) -> int:
        """How many faces go."""
        return sum(len(item.faces) for item in self.removals)

    @property
    def votes(self) -> int:
        """How many votes of people go with them."""
        return sum(item.votes for item in self.removals)


def persons(app: App) -> dict[str, list[str]]:
    """Who is in the workspace: name → where, as `side a, clip`. Footage without a name is under the empty one."""
    found: dict[str, list[str]] = {}
    for item in sources(app.workspace):
        known = next((name for name in found if same_name(name, item.person)), item.person)
        found.setdefault(known, []).append(f"side {item.side.value}, {item.name}")
    return found


def plan_erasure(app: App, name: str) -> Erasure:
    """What would go. Raises StageError where faces stand on open pages, beside other people's in a merged side, or on
    another machine: with the run's folder it would be forgotten where they lie, and the model would come back."""
    for run, address in away_runs(app):
        raise StageError(
            f"{run.id} is open on {address}, and its faces lie there. Take it off the machine first: galloway train "
            f"--on {address} --drop"
        )
    mine = [item for item in sources(app.workspace) if same_name(item.person, name)]
    named = [side for side in Side if same_name(_person_of(app, side), name)]
    sides = tuple(side for side in Side if side in named or any(item.side is side for item in mine))
    for side in sides:
        others = [item for item in sources(app.workspace, side) if not same_name(item.person, name)]
        if others and app.standing_merge(side) is not None:
            raise StageError(
                f"Side {side.value} is merged and holds other people's footage, too. Take the merge back first: "
                f"galloway merge undo --side {side.value}"
            )
    removals = tuple(plan_removal(app, item.side, item.name, merged_too=True) for item in mine)
    return Erasure(name, removals, sides, tuple(_made_of(app, sides)))


def erase_person(app: App, erasure: Erasure, *, backups: bool = False) -> tuple[Left, ...]:
    """Delete what the plan names and overwrite the databases; what is left, by path, and why.

    With `backups` the copies of the database go, too. Killed half way, the same call finishes; so it does after a
    StageError, which names a file that could not be deleted.
    """
    for path in erasure.paths:
        delete(path)
    for side in erasure.sides:
        remove_references(app, side)
        if all(same_name(item.person, erasure.name) for item in sources(app.workspace, side)):
            _wipe(app, side)
    for removal in erasure.removals:
        remove_source(app, removal, with_votes=True)
    if erasure.sides:
        drop_media(app.workspace, drop_reviews(app.workspace))
    rename_voter(app.workspace, own_name(erasure.name), f"person:{_ERASED}")
    if (record := record_of(app.workspace.root, erasure.name)) is not None:
        delete(record_path(app.workspace.root, record))
    if backups:
        delete(app.workspace.root / "backups")
    # Reasons that people gave may name the person, and so may "decided by".
    spelled = r"\s+".join(map(re.escape, erasure.name.split()))
    written = re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE)
    app.store.rewrite_words(written, _ERASED)
    rewrite_steps(app.workspace, written, _ERASED)
    _rewrite_settings(app, erasure.name)
    faces = sum(len(removal.faces) for removal in erasure.removals)
    note_act(app.workspace, "erase", f"{len(erasure.removals)} sources", counted(faces, "face"))
    return (*_clear_bucket(app), *_kept_versions(app), *overwrite_databases(app), *_left(app, erasure.name))


def _made_of(app: App, sides: Sequence[Side]) -> list[Path]:
    """Everything in the workspace that was made of faces, once any face of the person may be in it: models learn both
    sides, results and previews show them, reports and embeddings list them."""
    if not sides:
        return []
    root = app.workspace.root
    folders = [root / name for name in ("reports", "results", "runs", "models", "jobs", "uploads")]
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]


def _wipe(app: App, side: Side) -> None:
    """A side that was this person's alone goes whole, with merges and rejected faces."""
    delete(app.workspace.root / "facesets" / side.value)
    drop_facesets(app.workspace, side)


def _person_of(app: App, side: Side) -> str:
    return (app.settings.side_a if side is Side.A else app.settings.side_b).person


def _rewrite_settings(app: App, name: str) -> None:
    """`person = "NAME"` of a side becomes empty; other lines of galloway.toml are the person's own to change."""
    config = app.workspace.root / CONFIG_NAME
    text = config.read_text(encoding="utf-8")
    lines = [
        re.sub(r"=.*", '= ""', line, count=1)
        if re.match(r"\s*person\s*=", line) and name_pattern(name).search(line.encode())
        else line
        for line in text.split("\n")
    ]
    if (new := "\n".join(lines)) != text:
        write_atomic(config, new)


def _left(app: App, name: str) -> list[Left]:
    """The files that still hold the name, with what to do about each; and copies that hold faces."""
    root = app.workspace.root
    found = [Left(path.relative_to(root).as_posix(), _why(path.relative_to(root))) for path in names_in(root, name)]
    if place := app.workspace.rows.place:
        tables = tables_with(app.workspace.db, name_pattern(name))
        found += [Left(f"{place}, table {table}", _why(Path("galloway.db"))) for table in tables]
    told = {item.path for item in found}
    for path in sorted((root / "backups").glob("*")):
        relative = path.relative_to(root).as_posix()
        if relative not in told:
            found.append(Left(relative, "a copy of the database from before: --backups deletes it"))
    return found


def _clear_bucket(app: App) -> list[Left]:
    """Take the erased pictures out of the bucket; where it does not let us, it is what is left."""
    settings = app.settings.hosting
    if not settings.s3_bucket:
        return []
    try:
        clear_pictures(app, partial(public_hosting, app.workspace))
    except MTurkError as refused:
        where = f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
        return [Left(where, f"pictures that were put there for workers. {refused}")]
    return []


def _kept_versions(app: App) -> list[Left]:
    """The bucket of the faces, where it keeps what is deleted."""
    if agreed(app.workspace.root, app.settings) is None:
        return []
    objects = Objects(app.settings.faces)
    try:
        keeps = objects.keeps_versions()
    except MTurkError:  # keys that may not ask; the end of this command says whether they may delete
        return []
    return [Left(objects.place, "the bucket keeps versions of what is deleted: delete them there")] if keeps else []


def _why(path: Path) -> str:
    first = path.parts[0]
    if first == "backups":
        return "a copy of the database from before: --backups deletes it"
    if first == CONFIG_NAME:
        return "your settings name them; change the line by hand"
    if first == "team.json":
        return "they may sign in: galloway team remove NAME"
    if first == "market":
        return "a worker or a requester of that name: galloway market worker erase ID"
    if first == "galloway.db":
        return (
            "a title, a batch or another person's footage has the name in it: galloway source list, galloway batch list"
        )
    if first in ("sources", "references", "facesets"):
        return "another person's footage or face has the name in its file name or note"
    return "not made by a step that is known here; look at it, and delete it by hand"
