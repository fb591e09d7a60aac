"""A project in the workspace: `projects/NAME/` with project.toml (terms), template.html and the batches sent of it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ...curation.files import write_atomic
from ...curation.truth.formats.source import open_source
from ...mturk.marketplace.rules.places import country_refusal
from ..errors import StageError
from ..workspace.acts import note_act
from ..workspace.folder import Workspace
from .template import check_template, variables

__all__ = [
    "Project",
    "Terms",
    "change_project",
    "find_project",
    "find_projects",
    "make_project",
    "page_text",
    "read_terms",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SETTINGS, _PAGE = "project.toml", "template.html"
_HITS, _PERCENT, _PLACE = "00000000000000000040", "000000000000000000L0", "00000000000000000071"
"""Mechanical Turk's own qualifications: answers approved, share of them, and where the worker lives."""


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
    auto_approve_hours: int = Field(default=72, ge=0, le=24 * 7)
    countries: tuple[str, ...] = Field(default=(), max_length=30)
    """Where workers live, as ISO 3166-1 writes it (DE, AT); empty: anywhere."""
    approved_hits: int = Field(default=0, ge=0, le=1_000_000)
    """How many of their answers, to anybody, were approved at least."""
    approved_percent: int = Field(default=0, ge=0, le=100)
    """What share of their answers was approved at least."""
    qualification: str = Field(default="", max_length=64, pattern=r"^[A-Z0-9]*$")
    """The id of a qualification that they hold."""
    qualification_least: int | None = Field(default=None, ge=0, le=1_000_000)
    """Its score at least; None: whoever holds it."""

    @field_validator("countries", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        """Countries in one text, as people type them: "de, AT"."""
        words = re.split(r"[,;\s]+", given) if isinstance(given, str) else given
        if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
            return given
        return tuple(word.upper() for word in words if word)

    @field_validator("countries")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [refusal for refusal in map(country_refusal, given) if refusal]
        if unknown:
            raise ValueError(unknown[0])
        return given

    def requirements(self) -> list[dict[str, Any]]:
        """Who may accept, as the API's QualificationRequirements."""
        found = [_at_least(_HITS, self.approved_hits), _at_least(_PERCENT, self.approved_percent)]
        if self.countries:
            places = [{"Country": country} for country in self.countries]
            found.append({"QualificationTypeId": _PLACE, "Comparator": "In", "LocaleValues": places})
        if self.qualification and self.qualification_least is None:
            found.append({"QualificationTypeId": self.qualification, "Comparator": "Exists"})
        elif self.qualification:
            found.append(_at_least(self.qualification, self.qualification_least or 0, always=True))
        return [requirement for requirement in found if requirement]


def _at_least(kind: str, least: int, *, always: bool = False) -> dict[str, Any]:
    if not least and not always:
        return {}
    return {"QualificationTypeId": kind, "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [least]}


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


def make_project(workspace: Workspace, name: str, terms: Terms, html: str, *, called: str = "The page") -> Project:
    """A new project of a page. Raises StageError where one of this name is there, or where nobody could answer the
    page, which messages call `called`."""
    folder = _folder(workspace, name)
    if folder.exists():
        raise StageError(f"There is a project {name} already, in {workspace.relative(folder)}. Take another name.")
    made = _written(Project(name, folder, terms, html), called)
    note_act(workspace, "project", f"made {name}")
    return made


def change_project(workspace: Workspace, project: Project, terms: Terms, html: str) -> Project:
    """The project with other terms and another page; what was sent of it stays as it was. Raises as make_project."""
    changed = _written(Project(project.name, project.folder, terms, html), "The page")
    note_act(workspace, "project", f"changed {project.name}")
    return changed


def _written(project: Project, called: str) -> Project:
    check_template(project.template, called)
    project.folder.mkdir(parents=True, exist_ok=True)
    write_atomic(project.folder / _PAGE, project.template)
    write_atomic(project.folder / _SETTINGS, _toml(project.terms))
    return project


def find_project(workspace: Workspace, name: str) -> Project:
    """The project of this name. Raises StageError where there is none, or where its files cannot be used."""
    folder = _folder(workspace, name)
    if not (folder / _SETTINGS).is_file():
        there = ", ".join(find_projects(workspace)) or "none"
        raise StageError(f"There is no project {name}; there is {there}. Make it: galloway project new {name}")
    try:
        terms = read_terms(tomllib.loads(page_text(folder / _SETTINGS)), f"project.toml of {name}")
    except tomllib.TOMLDecodeError as error:
        raise StageError(f"project.toml of {name} cannot be read ({error}).") from error
    if not (folder / _PAGE).is_file():
        raise StageError(f"The project {name} has lost its {_PAGE}; put it back into {folder}.")
    return Project(name, folder, terms, page_text(folder / _PAGE))


def find_projects(workspace: Workspace) -> list[str]:
    """The names of all projects."""
    return sorted(path.parent.name for path in (workspace.root / "projects").glob(f"*/{_SETTINGS}"))


def _folder(workspace: Workspace, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise StageError(f"{name!r} is no name for a project: up to 40 letters, digits, - and _.")
    return workspace.inside("projects", name)


def page_text(path: Path) -> str:
    """The text of a page in whatever encoding it is. Raises VotesError for what is no text."""
    source = open_source(path)
    with source.text(source.encoding()) as file:
        return file.read()


def read_terms(values: Mapping[str, Any], called: str) -> Terms:
    """Terms from a file or a form. Raises StageError for what is missing, unknown or out of bounds; messages name
    `called` first."""
    try:
        return Terms.model_validate(values)
    except ValidationError as error:
        wrong = error.errors()[0]
        where, why = ".".join(map(str, wrong["loc"])), wrong["msg"].removeprefix("Value error, ")
        raise StageError(f"{called}: {where.replace('_', ' ')}: {why.rstrip('.')}.") from error


def _toml(terms: Terms) -> str:
    """The terms as TOML: JSON's strings, numbers and lists are TOML's, but for DEL, which JSON leaves bare."""
    pairs = terms.model_dump(mode="json", exclude_none=True).items()
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in pairs).replace(
        "\x7f", "\\u007f"
    )
