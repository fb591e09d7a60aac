"""What every page of the worker site needs at hand: the use cases, the config, who is signed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from ..config import MarketConfig
from ..desk.values import Session, Worker
from ..desk.work import Work
from ..office.operator import Operator

__all__ = ["Portal", "json_file", "portal", "require_worker", "signed_in"]


@dataclass(frozen=True, slots=True)
class Portal:
    """One marketplace as the worker site sees it."""

    work: Work
    config: MarketConfig
    desk: Operator | None

    @property
    def cookie(self) -> str:
        """Name of the session cookie. It carries the port, because cookies do not tell ports of a host apart."""
        parts = urlsplit(self.config.addresses.worker)
        return f"market_{parts.port or parts.scheme}"

    @property
    def secure(self) -> bool:
        """True where the site is reached over https, so that cookies must be too."""
        return self.config.addresses.worker.startswith("https:")

    def remember(self, response: Response, session: Session) -> Response:
        """Set the session cookie: not readable by scripts, not sent along from other sites' posts or frames."""
        response.set_cookie(
            self.cookie,
            session.token,
            expires=session.expires_at,
            httponly=True,
            samesite="Lax",
            secure=self.secure,
            path="/",
        )
        return response

    def forget(self, response: Response) -> Response:
        """Remove the session cookie."""
        response.delete_cookie(self.cookie, httponly=True, samesite="Lax", secure=self.secure, path="/")
        return response


def portal() -> Portal:
    """The portal of the running app."""
    found = current_app.extensions["portal"]
    assert isinstance(found, Portal)
    return found


def json_file(stored: Mapping[str, Any], name: str) -> Response:
    """Values as a JSON file to keep."""
    text = json.dumps(stored, indent=2, default=str, ensure_ascii=False)
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(text, mimetype="application/json", headers=headers)


def require_worker() -> Response | None:
    """Send strangers to the sign-in page; for `Blueprint.before_request`."""
    if g.get("worker") is None and request.method in ("GET", "HEAD"):
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    if g.get("worker") is None:
        abort(403, "Your session is over. Sign in again.")
    return None


def signed_in() -> Worker:
    """The signed-in worker; only behind `require_worker`."""
    worker = g.worker
    assert isinstance(worker, Worker)
    return worker
