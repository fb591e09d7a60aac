"""What has to hold still when something is written: the database is this folder's, the locks are this command's."""

from __future__ import annotations

import sqlalchemy as sa

from ...errors import WorkspaceError
from .tables import holder_table, home_table

__all__ = ["Fence"]


class Fence:
    """The tokens of one open workspace: of its home, and of each lock that it holds now."""

    def __init__(self, home: str, place: str) -> None:
        self._home = home
        self._place = place
        self.holding: dict[str, str] = {}
        """Lock → token, as long as a command of this process holds it."""

    def check(self, connection: sa.Connection) -> None:
        """Raise WorkspaceError where the rows went elsewhere, or a lock was lost and another command has it."""
        home = connection.execute(sa.select(home_table.c.token, home_table.c.state)).one_or_none()
        if home is None or home.token != self._home or home.state == "left":
            raise WorkspaceError(
                f"{self._place} is not this folder's any more: its rows were moved, or another folder was said to be "
                "the workspace. Nothing was written. End this program and look with: galloway status"
            )
        held = dict(self.holding)
        if not held:
            return
        rows = connection.execute(sa.select(holder_table).where(holder_table.c.lock.in_(held))).all()
        now = {row.lock: row for row in rows}
        for name, token in held.items():
            if name not in now or now[name].token != token:
                who = f" ({now[name].doing} on {now[name].machine})" if name in now else ""
                raise WorkspaceError(
                    f"{self._place} was away for a moment, and another command{who} went on meanwhile. Nothing more "
                    "was written by this one: run it again when that one is done."
                )
