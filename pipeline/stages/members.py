"""Who may sign in at a workspace's pages: letting people in, changing what they may do, letting them go."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ..app import App
from ..errors import NothingToDo, StageError
from ..workspace.acts import note_act
from ..workspace.team import Member, Role, add_member, members, new_password, remove_member

__all__ = ["change_role", "let_in", "let_in_anew", "show_out"]

_LEAST_WAIT = 5.0
"""A decision or a settlement is over in so many seconds."""


def let_in(app: App, name: str, role: Role) -> tuple[Member, str]:
    """Let somebody new sign in; the member and the password that was made, which is kept nowhere. Raises StageError for
    a name that is in the team already, WorkspaceError for one that is no name."""
    with _alone(app):
        if (there := _found(app, name)) is not None:
            raise StageError(f"{there.name} is in the team already. Change what {there.name} may do instead.")
        return _kept(app, name, role, new_password())


def let_in_anew(app: App, name: str, role: Role | None = None, password: str = "") -> tuple[Member, str]:
    """Let NAME sign in with a new password, made here where none is given: somebody who is there keeps the role unless
    another one is said. Whoever is signed in with the old password is signed out.

    Raises NothingToDo where no role is said and nobody has that name, WorkspaceError for a name or a password that does
    not do.
    """
    with _alone(app):
        if role is None:
            there = _member(app, name)
            name, role = there.name, there.role
        return _kept(app, name, role, password or new_password())


def change_role(app: App, name: str, role: Role) -> Member:
    """Change what somebody may do, at once; the password stays. Raises NothingToDo where nobody has that name."""
    with _alone(app):
        there = _member(app, name)
        made = add_member(app.workspace.root, there.name, role)
        note_act(app.workspace, "team", f"{made.name} may {made.role.word}")
    return made


def show_out(app: App, name: str) -> None:
    """Nobody signs in by that name any more, and whoever is signed in by it is signed out. Raises NothingToDo."""
    with _alone(app):
        there = _member(app, name)
        remove_member(app.workspace.root, there.name)
        note_act(app.workspace, "team", f"{there.name} may not sign in any more")


def _alone(app: App) -> AbstractContextManager[None]:
    return app.workspace.lock("changing the team", wait=max(_LEAST_WAIT, app.workspace.patience))


def _kept(app: App, name: str, role: Role, password: str) -> tuple[Member, str]:
    made = add_member(app.workspace.root, name, role, password)
    note_act(app.workspace, "team", f"{made.name} may {made.role.word}")
    return made, password


def _found(app: App, name: str) -> Member | None:
    wanted = " ".join(name.split()).casefold()
    return next((item for item in members(app.workspace.root) if item.name.casefold() == wanted), None)


def _member(app: App, name: str) -> Member:
    there = _found(app, name)
    if there is None:
        raise NothingToDo(f"There is no {name!r} in the team. See: galloway team list")
    return there
