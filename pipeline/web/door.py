"""The door of the pages: the token of the printed link, or a member's name and password; and what each role may do.

Nothing that a request says of itself is believed. A proxy on this machine speaks from 127.0.0.1 and may write any Host,
so every page is behind the door, also on loopback.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from werkzeug.exceptions import Unauthorized
from werkzeug.wrappers import Response

from ..workspace.acts import OWNER, act_as
from ..workspace.team import Member, Role, admit, change_password, members

__all__ = ["LINK", "Door", "install_door", "link_of", "member_choices", "role", "who"]

blueprint = Blueprint("door", __name__)
_KEY = "galloway door"
LINK = "the link of "
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
_TRIES, _WITHIN = 10, 600.0
"""So many wrong passwords for one name in so many seconds; then it waits."""


@dataclass(frozen=True)
class Door:
    """Who is let in: whoever brings `token`, the team of the workspace at `root`, and whom `known` says to have come in
    by the same link elsewhere: asked of each request that is nobody's here."""

    root: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    failed: dict[str, deque[float]] = field(default_factory=dict)
    printed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    known: Callable[[], bool] = lambda: False

    @property
    def called(self) -> str:
        """What the log calls whoever came by the link."""
        return link_of(self.printed_at)

    def opens(self, token: str) -> bool:
        """Whether this is the printed link's token, compared in constant time."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def member(self) -> Member | None:
        """The member of the session, as the team is now: changed passwords and roles count at once."""
        name, stamp = session.get("member"), session.get("stamp")
        if not isinstance(name, str) or not isinstance(stamp, str):
            return None
        found = next((item for item in members(self.root) if item.name == name), None)
        return found if found is not None and hmac.compare_digest(stamp, found.digest[:16]) else None


def link_of(printed_at: datetime) -> str:
    """A printed link by when it was made, in UTC: it has no name, and a later one is another."""
    return f"{LINK}{printed_at.astimezone(UTC):%d %b %Y, %H:%M}"


def install_door(site: Flask, door: Door | None) -> None:
    """Put `door` before every page of `site`. None: whoever reaches the app may do everything."""
    site.extensions[_KEY] = door
    site.register_blueprint(blueprint)
    site.before_request(_check)
    # Threads are used again: nobody acts as whoever was here before.
    site.teardown_request(lambda _: act_as("", "page"))


def role() -> Role | None:
    """What the person behind the current request may do; None for a stranger."""
    return cast("Role | None", g.get("role"))


def who() -> str:
    """The member's name; empty for the owner's link and for strangers."""
    return cast(str, g.get("member_name", ""))


def member_choices() -> Mapping[str, str]:
    """How pages look for the member behind the current request; nothing for anybody else."""
    return cast("Mapping[str, str]", g.get("member_choices", {}))


def _door() -> Door | None:
    return cast("Door | None", current_app.extensions[_KEY])


def _check() -> Response | None:
    door = _door()
    g.role, g.member_name = (Role.OWN if door is None else None), ""
    act_as(OWNER if door is None else door.called, "page")
    if door is None or request.endpoint == "static":
        return None
    token = request.args.get("token", "")
    if token and request.method == "GET" and door.opens(token):
        session.clear()
        session["owner"] = True
        rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "token"])
        path = request.path if request.url_rule is not None else "/"  # "//elsewhere" is no page of ours
        path = f"{request.script_root}{path}"
        return redirect(f"{path}?{rest}" if rest else path, 303)
    _recognise(door)
    if g.role is None and request.endpoint not in ("door.sign_in", "door.enter"):
        return _refused()
    own = request.blueprint in ("door", "settings")
    needed = Role.LOOK if request.method in _SAFE or own else Role.DECIDE
    if g.role is not None and g.role < needed:
        abort(403, f"You may {g.role.word}; this takes somebody who may {needed.word}.")
    return None


def _recognise(door: Door) -> None:
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if session.get("owner") or (kind.lower() == "bearer" and door.opens(bearer.strip())):
        g.role = Role.OWN
        return
    member = door.member()
    if member is not None:
        g.role, g.member_name, g.member_choices = member.role, member.name, member.choices
        act_as(member.name, "page")
    elif door.known():
        g.role = Role.OWN


def _refused() -> Response:
    if request.method == "GET" and request.accept_mimetypes.accept_html and not request.path.startswith("/api/"):
        return redirect(url_for("door.sign_in"), 303)
    through = any(request.headers.get(name) for name in _FORWARDED)
    nobody = "This request came through a proxy, and nobody is" if through else "Nobody is"
    raise Unauthorized(f"{nobody} signed in. Open the link that was printed when the server was started, or sign in.")


@blueprint.get("/sign-in")
def sign_in() -> tuple[str, int]:
    """Name and password, where there is a team; else where the link is."""
    door = _door()
    return render_template("door.html", team=bool(door and members(door.root)), message=""), 401


@blueprint.post("/sign-in")
def enter() -> Response | tuple[str, int]:
    """A member comes in."""
    door = _door()
    if door is None:
        return redirect(url_for("pages.overview"), 303)
    name = request.form.get("name", "")[:200].strip()
    failed, now = _failed(door, name), time.monotonic()
    if len(failed) == _TRIES and now - failed[0] < _WITHIN:
        return _again("Too many wrong passwords. Wait ten minutes, or open the link that the server printed.", 429)
    member = admit(door.root, name, request.form.get("password", ""))
    if member is None:
        failed.append(now)
        _forget_old(door, now)
        return _again("Name or password are wrong. Whoever runs galloway can make a new one: galloway team add", 401)
    door.failed.pop(name.casefold(), None)
    session.clear()
    session.update(member=member.name, stamp=member.digest[:16], by=member.name)
    return redirect(url_for("pages.overview"), 303)


@blueprint.post("/password")
def change() -> Response | tuple[str, int]:
    """A member's own password; everywhere else they are signed out."""
    door, name = _door(), who()
    if door is None or not name:
        abort(400, "Whoever came by the printed link has no password.")
    failed = _failed(door, name)
    if len(failed) == _TRIES and time.monotonic() - failed[0] < _WITHIN:
        abort(429, "Too many wrong passwords. Wait ten minutes.")
    made = change_password(door.root, name, request.form.get("now", ""), request.form.get("new", ""))
    if made is None:
        failed.append(time.monotonic())
        abort(400, "That is not the password that you have now; nothing was changed.")
    session.update(stamp=made.digest[:16])
    flash("Your password is changed. Everywhere else you are signed out.")
    return redirect(url_for("settings.page"), 303)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """The session ends in this browser."""
    session.clear()
    return redirect(url_for("door.sign_in"), 303)


def _failed(door: Door, name: str) -> deque[float]:
    """When a name was tried with a wrong password, of late."""
    return door.failed.setdefault(name.casefold(), deque(maxlen=_TRIES))


def _again(message: str, status: int) -> tuple[str, int]:
    return render_template("door.html", team=True, message=message), status


def _forget_old(door: Door, now: float) -> None:
    """Names that nobody has tried of late take no room: a stranger cannot fill the memory with them."""
    for name in [name for name, times in list(door.failed.items()) if not times or now - times[-1] > _WITHIN]:
        door.failed.pop(name, None)
    while len(door.failed) > 1000:
        door.failed.pop(next(iter(door.failed)), None)
