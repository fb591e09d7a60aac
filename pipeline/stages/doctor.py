"""Doctor: what this machine has and lacks for the work, with the remedy for each."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

from ...curation.listing import count_statuses
from ...curation.screen.explicit import explicit_available
from ...extras import install
from ...mturk.marketplace.errors import MarketplaceError
from ...mturk.requester.errors import MTurkError
from ..app import App
from ..engines.base import Check, EngineError
from ..errors import PipelineError, WorkspaceError
from ..trouble import sentence
from ..wording import typed
from ..workspace.bucket.mirror import Mirror
from ..workspace.folder import CONFIG_NAME, Workspace
from ..workspace.place import open_to_others
from ..workspace.settings import load_settings
from .missing import missing

__all__ = ["examine"]

MIN_FREE_GIB = 5
_OTHER_MARKET = (
    'Set market.name = "local" in galloway.toml.',
    "Mend what it names, or bring market/ back from a backup.",
)
"""What to do where the market does not answer: another one, and where it is the local one."""


def examine(start: str | None) -> list[tuple[str, Check]]:
    """All checks as (area, check). A workspace is examined where there is one; none is no fault."""
    found = [("machine", check) for check in (_python(), _sqlite(), _disk(Path(start or ".")), _ffmpeg())]
    app = _app(start, found)
    from ..engines.embedded.engine import EmbeddedEngine

    found += [("embedded", check) for check in EmbeddedEngine().check().checks]
    found.append(("gate", _gate()))
    found += [("faceswap", check) for check in _faceswap(app)]
    if app is not None:
        found += [("market", check) for check in _market(app)]
    return found


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", (3, 11) <= sys.version_info[:2] <= (3, 13), version, "Install Python 3.11, 3.12 or 3.13.")


def _sqlite() -> Check:
    return Check(
        "SQLite",
        sqlite3.sqlite_version_info >= (3, 35),
        sqlite3.sqlite_version,
        "Use a Python that is built with SQLite 3.35 or newer.",
    )


def _disk(where: Path) -> Check:
    whole = where.resolve()
    there = next(path for path in (whole, *whole.parents) if path.exists())  # the studio's folder comes with a project
    free = shutil.disk_usage(there).free / 2**30
    return Check("disk", free >= MIN_FREE_GIB, f"{free:.0f} GiB free", "Faces and models need room: free some space.")


def _ffmpeg() -> Check:
    try:
        import imageio_ffmpeg

        return Check("ffmpeg", True, imageio_ffmpeg.get_ffmpeg_version())
    except (ImportError, RuntimeError) as error:
        return Check("ffmpeg", False, str(error), f"{install('video')}, or set IMAGEIO_FFMPEG_EXE.", "video")


def _gate() -> Check:
    if explicit_available():
        return Check("pictures", True, "looked at before workers see them (open_nsfw; it knows nothing of violence)")
    lacks = f"not looked at before workers see them; {install('gate')} tells the sexual ones"
    return Check("pictures", True, lacks, extra="gate")


def _app(start: str | None, found: list[tuple[str, Check]]) -> App | None:
    here = Path(start or Path.cwd()).resolve()
    try:
        if start is None and _none(here):
            load_settings(None)  # whether the environment's can be used
            none = f"none at or above {here}; make one: galloway init NAME"
            found.append(("workspace", Check("workspace", True, none)))
            return None
        app = App(Workspace.find(start))
    except Exception as error:
        remedy = "galloway init NAME" if start is not None and _none(here) else "Mend what it names."
        found.append(("workspace", _failed("workspace", error, remedy)))
        return None
    try:
        place = app.workspace.rows.place or "galloway.db"
        faces = sum(sum(of_side.values()) for of_side in count_statuses(app.workspace.db, standing=True).values())
        lacks = missing(app)
    except Exception as error:
        named = app.settings.workspace.database != ""
        remedy = "See docs/deploying.md, “The workspace on PostgreSQL”." if named else "Bring a copy of it back."
        found.append(("workspace", _failed("database", error, remedy)))
        return None
    found.append(("workspace", Check("workspace", True, f"{app.workspace.root} ({faces} faces)")))
    found.append(("workspace", Check("database", True, f"rows in {place}")))
    if open_to_others(app.workspace.root):
        told = "every user of this machine may read its faces and footage"
        found.append(("workspace", Check("rights", False, told, f"chmod 700 {typed(app.workspace.root)}", wish=True)))
    # Of several machines that share the rows, not each has the footage.
    shared = app.workspace.rows.place != ""
    found += [("workspace", Check(item.what, False, item.text, item.remedy, wish=shared)) for item in lacks]
    if app.settings.faces.s3_bucket:
        found.append(("workspace", _bucket(app)))
    return app


def _none(here: Path) -> bool:
    return not any((folder / CONFIG_NAME).is_file() for folder in (here, *here.parents))


def _failed(name: str, error: Exception, remedy: str) -> Check:
    """A check that failed with an error of ours or of the system's; a fault of this program is raised."""
    ours = isinstance(error, (PipelineError, MTurkError, MarketplaceError))
    told = str(error) if ours else sentence(error)
    if told is None:
        raise error
    return Check(name, False, " ".join(told.split()), remedy)


def _bucket(app: App) -> Check:
    try:
        state = Mirror(app.workspace.root, app.settings).state()
    except (WorkspaceError, MTurkError) as error:
        return Check("bucket", False, str(error), "See docs/deploying.md, “The faces in a bucket”.")
    begin = "" if state.begun else "; begin: galloway bucket push, or pull"
    return Check("bucket", True, f"{state.files:,} files in {state.place}{begin}")


def _faceswap(app: App | None) -> list[Check]:
    try:
        scratch = app or App(Workspace(Path.cwd(), load_settings(None)))
    except WorkspaceError:  # the environment's settings, of which the workspace's line tells
        return []
    if scratch.settings.engine.faceswap_home is None:
        return [
            Check(
                "faceswap",
                True,
                "not configured; the embedded engine works, for trying and for small work. For the real thing, install "
                "faceswap as its documentation says and set GALLOWAY_FACESWAP_HOME and GALLOWAY_FACESWAP_PYTHON",
            )
        ]
    try:
        report = scratch.engine("faceswap").check()
    except EngineError as error:
        return [Check("faceswap", False, str(error), "Mend the checkout or its Python, then run doctor again.")]
    return [Check("line", report.usable, f"{report.line} ({report.version})"), *report.checks]


def _market(app: App) -> list[Check]:
    name = app.settings.market.name
    try:
        with app.market() as session:
            balance = session.client.balance()
            notice = session.market.notice
            return [
                Check("market", True, f"{name} answers at {session.market.endpoint_url}, balance {balance}"),
                *([Check("notice", True, notice)] if notice else []),
            ]
    except Exception as error:
        return [_failed("market", error, _OTHER_MARKET[name == "local"])]
