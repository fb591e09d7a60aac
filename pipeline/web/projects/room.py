"""What the project pages share: the blueprint, who may do what, how much may be sent, and the project at hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import Blueprint, abort, request

from ...projects.project import Project, find_project
from ...projects.sheets import Sheet, find_sheet
from ...workspace.team import Role
from ..door import role
from ..opened import may_act, open_workspace

__all__ = ["LARGEST_UPLOAD", "blueprint", "named", "sheet_of", "spends"]

blueprint = Blueprint("projects", __name__)
LARGEST_UPLOAD = 64 << 20
"""Bytes of a table with its pictures; more goes by the command line."""
_PAGE = 512 << 10
_FILES = 5000
_UPLOADS = frozenset({"projects.upload", "projects.settle_check"})
_PAGES = frozenset({"projects.make", "projects.change"})

_P = ParamSpec("_P")
_T = TypeVar("_T")


@blueprint.before_request
def _room_enough() -> None:
    """Only after the door, and only where files or a page are sent, may a request be larger than elsewhere."""
    if request.endpoint in _UPLOADS:
        request.max_content_length = LARGEST_UPLOAD
        request.max_form_parts = _FILES
    elif request.endpoint in _PAGES:
        request.max_content_length = request.max_form_memory_size = _PAGE


def spends(page: Callable[_P, _T]) -> Callable[_P, _T]:
    """A page for those who may spend, on a server whose pages may act."""

    @wraps(page)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        if not may_act():
            told = f"You may {cast(Role, role()).word}"  # the door lets no stranger this far
            abort(
                403, f"{told}; this takes somebody who may spend (galloway team add NAME --role spend), on a server "
                "without --no-actions."
            )  # fmt: skip
        return page(*args, **kwargs)

    return guarded


def named(name: str) -> Project:
    """The project that an address names."""
    app = open_workspace()
    if not (app.workspace.root / "projects" / name / "project.toml").is_file():
        abort(404, f"There is no project {name[:60]}.")
    return find_project(app.workspace, name)


def sheet_of(project: Project, key: str) -> Sheet:
    """The table that an address names."""
    return find_sheet(project, key)
