"""Setting up: a new workspace, and footage looked at before it comes in."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import write_once
from ..app import App
from ..errors import StageError, WorkspaceError
from ..wording import typed
from ..workspace.database.moving import begin_at
from ..workspace.folder import CONFIG_NAME, Workspace
from ..workspace.place import record_place
from .names import clean_name

__all__ = ["ExaminedVideo", "examine_video", "make_workspace"]

_TEMPLATE = """\
# Galloway workspace. Everything here can be overridden by GALLOWAY_… environment variables.
name = "{name}"
id = "{id}"

[market]
name = "local"          # local, an MTurk-compatible https URL, aws-sandbox, aws

[ask]
max_votes = 7           # then a person decides
faces_per_hit = 24
reward = "0.15"         # for a full page; smaller pages are paid in proportion
# budget = "25.00"      # a wall for everything that is published from here
# audit_share = 0.05    # of the decided faces asked again, blind (else at most 400): proves how many are wrong
# promise = 0.02        # merge refuses until the audit proves that at most so many are wrong; small sets cannot have it
# learn = false         # asks about every face; a model taught by the answers decides most of them otherwise

[side_a]                # the face in the video that is replaced: every face of the person is kept
questions = ["usable", "identity"]

[side_b]                # the face that is swapped in: only good examples are kept
questions = ["usable", "identity"]

[engine]
name = "auto"           # faceswap where it is configured, else embedded
# faceswap_home = "/path/to/faceswap"
# faceswap_python = "/path/to/its/python"
"""


@dataclass(frozen=True, slots=True)
class ExaminedVideo:
    """What to ingest after the video doctor: the video itself or its mended copy, and what to tell. `mended_from` is
    the SHA-256 of the file that was given, where a mended copy takes its place."""

    path: Path
    lines: tuple[str, ...]
    mended_from: str | None = None


def make_workspace(folder: Path, name: str | None = None, *, database: str = "") -> tuple[Workspace, bool]:
    """Make a workspace, with its rows in the PostgreSQL `database` at this address where one is named; (workspace,
    False) where there is one already. Nobody else may look into a folder that is new or empty; one that holds something
    keeps its rights. Raises WorkspaceError inside another one."""
    folder = folder.resolve()
    if (folder / CONFIG_NAME).is_file():
        return Workspace.open(folder), False
    outer = next((parent for parent in folder.parents if (parent / CONFIG_NAME).is_file()), None)
    if outer is not None:
        raise WorkspaceError(f"{folder} lies inside the workspace {outer}; make the new one elsewhere.")
    fresh = not folder.exists() or not any(folder.iterdir())
    folder.mkdir(parents=True, exist_ok=True)
    if fresh:
        with suppress(OSError):  # a folder that is not ours keeps its rights; doctor tells
            folder.chmod(0o700)
    clean = re.sub(r"[^\w .-]", "", name or folder.name).strip() or "workspace"
    text = _TEMPLATE.format(name=clean, id=secrets.token_hex(3))
    (folder / ".gitignore").write_text("*\n", encoding="ascii")  # faces are people: never pushed by accident
    write_once(folder / CONFIG_NAME, text, private=False)
    record_place(folder)
    workspace = Workspace.open(folder)
    if database:
        workspace = begin_at(workspace, database)
    assert workspace.db is not None
    return workspace, True


def examine_video(app: App, path: Path, *, fix: bool) -> ExaminedVideo:
    """Look at a video before it is ingested; with `fix`, mend it into the workspace and give that path instead.

    Raises StageError for a video that nothing can read, and for one that breaks off, unless it is mended.
    """
    from ..video import check_video, fix_video

    report = check_video(path)
    lines = [f"{path.name}: {finding.what} {finding.why}" for finding in report.findings]
    if not report.facts.readable:
        raise StageError(*lines)
    if report.ok or not report.fixable:
        return ExaminedVideo(path, tuple(lines))
    # Two videos may have one name; what each was mended into is kept apart by what they hold.
    target = app.workspace.path("sources", "mended", report.sha256[:12], f"{clean_name(path.stem)}.mp4")
    if not fix and any(finding.severity == "broken" for finding in report.findings):
        raise StageError(*lines, "It was left out. Mend it and take what is whole: the same command with --fix")
    if not fix:
        lines.append(
            f"Mend it: the same command with --fix. What that runs: galloway video fix {typed(path)} --dry-run"
        )
        return ExaminedVideo(path, tuple(lines))
    fix_video(report, target)
    lines.append(f"Mended into {app.workspace.relative(target)}; the original is untouched.")
    return ExaminedVideo(target, tuple(lines), report.sha256)
