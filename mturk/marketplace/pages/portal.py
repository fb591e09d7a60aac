"""What every page of the worker site needs at hand: the use cases, the config, who is signed in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from ..config import MarketConfig
from ..desk.values import Session, Worker
from ..desk.work import Work
from ..office.overview import Overview

__all__ = ["OperatorDesk", "Portal", "json_file", "portal", "require_worker", "signed_in"]


class OperatorDesk(Protocol):
    """What the operator can see and do."""

    def admits(self, token: str) -> bool:
        """True for the operator's token; compared in constant time."""
        ...

    def overview(self) -> Overview:
        """The state of the marketplace now."""
        ...

    def export_worker(self, worker_id: str) -> Mapping[str, Any]:
        """Everything that is stored about a worker, as JSON values. OperatorError if unknown."""
        ...

    def erase_worker(self, worker_id: str) -> None:
        """Erase name, password, country, sessions, drafts and messages; submitted answers stay under the opaque id.
        OperatorError if unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Portal:
    """One marketplace as the worker site sees it."""

    work: Work
    config: MarketConfig
    desk: OperatorDesk | None

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
