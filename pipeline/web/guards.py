"""Who may ask for what: hosts, origins, headers, and the one shape of errors."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, NotFound

from ...curation.errors import CurationError
from ...extras import missing_extra
from ...mturk.marketplace.errors import OperatorError
from ...mturk.marketplace.pages.guards import check_origin
from ...mturk.marketplace.pages.words import said
from ...mturk.requester.errors import MTurkError
from ..engines.base import EngineError
from ..errors import NothingToDo, PipelineError, WorkspaceError
from ..trouble import sentence
from .door import role
from .opened import open_workspace
from .read import Advice, upcoming

__all__ = ["guard", "guard_requests"]

_log = logging.getLogger(__name__)

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def _hostname(incoming: Request) -> str:
    try:
        return (urlsplit(f"//{incoming.host}").hostname or "").lower()
    except ValueError:
        return ""


def guard(app: Flask, hosts: Collection[str] | None) -> None:
    """Refuse other hosts and other origins, set headers, and answer errors as a page or as JSON."""
    guard_requests(app, hosts)
    _answer_errors(app)


def guard_requests(app: Flask, hosts: Collection[str] | None) -> None:
    """Refuse other hosts and other origins, and set headers.

    Only `hosts` may be named by the request (None: any): a page elsewhere whose name is pointed at this machine (DNS
    rebinding) reads nothing. That is no door: a stranger's program and a proxy write any name.
    """

    @app.before_request
    def check() -> None:
        if hosts is not None and _hostname(request) not in hosts:
            abort(
                403, f"This address ({request.host}) is not served here. Open http://127.0.0.1 with the port printed."
            )
        check_origin(request)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
        # Faces and worker figures: not for a shared cache, and gone with the workspace.
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Any:
        told = error.description or error.name
        if told == NotFound.description:
            told = "There is no such page here. Its address may have been cut, or is of another version."
        return _answer(error.code or 500, error.name, told)

    @app.errorhandler(OperatorError)
    def unknown(error: OperatorError) -> Any:
        return _answer(404, "Not found", str(error))

    for kind in (PipelineError, MTurkError, CurationError, EngineError):

        @app.errorhandler(kind)
        def failed(error: Exception) -> Any:
            status = 409 if isinstance(error, (WorkspaceError, NothingToDo)) else 400
            return _answer(status, "Not done", str(error), _step())

    @app.errorhandler(Exception)
    def away(error: Exception) -> Any:
        """An extra that is not installed, a disk or a database that does not answer just now; anything else is a fault
        of ours."""
        if (lacking := missing_extra(error)) is not None:
            return _answer(400, "Not done", str(lacking))
        told = sentence(error)
        if told is None:
            _log.error("a page failed", exc_info=error)
            return broken(error)
        _log.warning("a page was not served: %s", error)
        return _answer(503, "Not just now", told)

    @app.errorhandler(500)
    def broken(_error: Exception) -> Any:
        return _answer(500, "Something broke", "The page failed; the log of the server says where.")


def _step() -> Advice | None:
    """What the work needs next, beside what could not be done; None where the workspace does not say."""
    try:
        return upcoming(open_workspace())
    except (PipelineError, MTurkError, CurationError):
        return None


def _answer(status: int, name: str, message: str, step: Advice | None = None) -> tuple[Any, int]:
    """An error as JSON under /api/ and for clients that ask for JSON, as a page otherwise, with `step` as what
    comes next."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    if request.path.startswith("/api/") or best == "application/json":
        told = message if request.path.startswith("/api/") else said(message)
        return jsonify({"error": {"status": status, "name": name, "message": told}}), status
    page = "door.html" if role() is None else "error.html"  # a stranger reads nothing of the workspace
    return render_template(page, status=status, name=name, message=message, step=step), status
