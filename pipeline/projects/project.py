"""A project in the workspace: `projects/NAME/` with project.toml (terms), template.html and the batches sent of it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...curation.files import write_atomic
from ...curation.truth.formats.source import open_source
from ..errors import StageError
from ..workspace.folder import Workspace
from .template import check_template, gallery_page, variables

__all__ = ["Project", "Terms", "find_project", "find_projects", "make_project"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SETTINGS, _PAGE = "project.toml", "template.html"


class Terms(BaseModel):
    """What workers read of a project and what they get for it: project.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=128)
    description: str = Field(min_length=1, max_length=2000)
    keywords: str = Field(default="", max_length=1000)
    reward: Decimal = Field(default=Decimal("0.05"), ge=0, le=1000, decimal_places=2)
    assignments: int = Field(default=3, ge=1, le=99)
    """How many workers answer each row."""
    seconds: int = Field(default=30, ge=1, le=86400)
    """How long one answer should take; the hourly pay follows from it."""
    minutes: int = Field(default=30, ge=1, le=60 * 24 * 365)
    """After so long an accepted HIT goes back to others."""
    lifetime_hours: int = Field(default=72, ge=1, le=24 * 365)
    auto_approve_hours: int = Field(default=72, ge=0, le=24 * 30)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as its folder holds it now."""

    name: str
    folder: Path
    terms: Terms
    template: str

    @property
    def variables(self) -> tuple[str, ...]:
        return variables(self.template)


def make_project(workspace: Workspace, name: str, terms: Terms, *, template: Path | None, gallery: str) -> Project:
    """A new project from an HTML file, or from the gallery. Raises StageError where one of this name is there, or
    where nobody could answer the page."""
    folder = _folder(workspace, name)
    if folder.exists():
        raise StageError(f"There is a project {name} already, in {workspace.relative(folder)}. Take another name.")
    html = gallery_page(gallery) if template is None else _text(template)
    check_template(html, gallery if template is None else str(template))
    folder.mkdir(parents=True)
    write_atomic(folder / _PAGE, html)
    write_atomic(folder / _SETTINGS, _toml(terms))
    return Project(name, folder, terms, html)


def find_project(workspace: Workspace, name: str) -> Project:
    """The project of this name. Raises StageError where there is none, or where its files cannot be used."""
    folder = _folder(workspace, name)
    if not (folder / _SETTINGS).is_file():
        there = ", ".join(find_projects(workspace)) or "none"
        raise StageError(f"There is no project {name}; there is {there}. Make it: galloway project new {name}")
    terms = _terms(folder / _SETTINGS, name)
    if not (folder / _PAGE).is_file():
        raise StageError(f"The project {name} has lost its {_PAGE}; put it back into {folder}.")
    return Project(name, folder, terms, _text(folder / _PAGE))


def find_projects(workspace: Workspace) -> list[str]:
    """The names of all projects."""
    return sorted(path.parent.name for path in (workspace.root / "projects").glob(f"*/{_SETTINGS}"))


def _folder(workspace: Workspace, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise StageError(f"{name!r} is no name for a project: up to 40 letters, digits, - and _.")
    return workspace.inside("projects", name)


def _text(path: Path) -> str:
    source = open_source(path)
    with source.text(source.encoding()) as file:
        return file.read()


def _terms(path: Path, name: str) -> Terms:
    try:
        return Terms.model_validate(tomllib.loads(_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise StageError(f"project.toml of {name} cannot be read ({error}).") from error
    except ValidationError as error:
        wrong = error.errors()[0]
        raise StageError(f"project.toml of {name}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}.") from error


def _toml(terms: Terms) -> str:
    """The terms as TOML: JSON's strings and numbers are TOML's, but for DEL, which JSON leaves bare."""
    pairs = terms.model_dump(mode="json").items()
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in pairs).replace(
        "\x7f", "\\u007f"
    )
