"""The frame origin: requesters' documents, drafts and externalSubmit. No cookie is ever read or set here.

Whoever holds the unguessable assignment id may submit it, as on Mechanical Turk; the marketplace binds it to the
worker who accepted it and stores it once.
"""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from ...config import MarketConfig
from ...desk.values import FrameDocument
from ...desk.work import Work
from ...errors import BadForm, InPreview, NotFound, TooLate, WorkError
from ...rules.answers import RESERVED
from ...store.outage import AWAY
from ..guards import RETRY_AFTER, common_headers, frame_policy
from ..settings import language_of
from ..words import LANGUAGES, speak
from .documents import FrameContext, serve_document
from .questionforms import form_view
from .scripts import script

__all__ = ["create_frame_app"]

_STATUS: dict[type[WorkError], int] = {InPreview: 409, NotFound: 404, TooLate: 410, BadForm: 422}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def create_frame_app(work: Work, config: MarketConfig) -> Flask:
    """The app behind the frame origin of one marketplace."""
    app = Flask(__name__.rsplit(".", 2)[0], static_folder="static", static_url_path="/assets")
    app.config.update(
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=10_000,
        SECRET_KEY=secrets.token_bytes(32),
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["frames"] = (work, config)
    app.before_request(_listen)
    speak(app)
    app.add_url_rule("/frame/<token>", "frame", _frame)
    app.add_url_rule("/assets/crowd.js", "crowd", _crowd)
    app.add_url_rule("/assets/crowd-html-elements.js", "crowd-by-its-name", _crowd)
    app.add_url_rule("/mturk/externalSubmit", "submit", _submit, methods=["POST"])
    app.add_url_rule("/mturk/draft", "draft", _draft, methods=["POST"])
    app.register_error_handler(WorkError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    for kind in AWAY:
        app.register_error_handler(kind, _away)
    app.after_request(_headers)
    return app


def _listen() -> None:
    """The language that the portal's page names, else the browser's."""
    asked = request.args.get("lang", "")
    g.language = asked if asked in LANGUAGES else language_of(request)


def _parts() -> tuple[Work, MarketConfig]:
    work, config = current_app.extensions["frames"]
    return work, config


def _frame(token: str) -> BaseResponse:
    """A requester's document, sandboxed; an ExternalQuestion is one redirect away."""
    work, config = _parts()
    document = work.open_frame(token)
    if document.question.kind == "external":
        return redirect(document.external_url)
    context = _context(document, config)
    if document.question.form is not None:
        view = form_view(document.question.form, document.draft)
        page = render_template("frame/question_form.html", view=view, preview=document.preview)
    else:
        page = document.question.html
    response = make_response(serve_document(page, context))
    response.headers["Content-Security-Policy"] = frame_policy(config.addresses.worker, sandbox=True)
    return response


def _crowd() -> Response:
    """Our stand-in for Crowd HTML Elements as one script."""
    return current_app.response_class(script("crowd.js"), mimetype="text/javascript")


def _submit() -> tuple[str, int] | str:
    """Take a worker's answers, once."""
    work, config = _parts()
    if request.content_length and request.mimetype not in _FORMS:
        raise BadForm(
            "Nothing was stored: the task's page must send a form (application/x-www-form-urlencoded or "
            "multipart/form-data), and it sent something else. Please tell the requester."
        )
    fields = _fields()
    try:
        sent = work.submit(_assignment_id(), fields)
    except BadForm as refusal:
        return _refused(refusal, kept=work.keep_refused(_assignment_id(), fields))
    return render_template(
        "frame/sent.html",
        assignment_id=sent.assignment_id,
        repeated=sent.repeated,
        portal=config.addresses.worker,
    )


def _fields() -> list[tuple[str, str]]:
    """What the form holds, then what only the address says: pages of other servers put answers there, too."""
    form = list(request.form.items(multi=True))
    said = {name for name, _ in form} | RESERVED
    return form + [(name, value) for name, value in request.args.items(multi=True) if name not in said]


def _draft() -> str:
    """Keep what the worker has filled in so far."""
    work, _ = _parts()
    work.save_draft(_assignment_id(), list(request.form.items(multi=True)))
    return render_template("frame/saved.html")


def _assignment_id() -> str:
    """From the form, or from the address where a template puts it there."""
    return (request.form.get("assignmentId") or request.args.get("assignmentId") or "").strip()


def _context(document: FrameDocument, config: MarketConfig) -> FrameContext:
    return FrameContext(
        assignment_id=document.assignment_id,
        hit_id=document.hit_id,
        worker_id=document.worker_id,
        turk_submit_to=document.turk_submit_to,
        assets=f"{config.addresses.frames}/assets",
        portal=config.addresses.worker,
        preview=document.preview,
        seen=document.seen,
        language=g.language,
        draft=document.draft,
    )


def _refused(error: WorkError, *, kept: bool = False) -> tuple[str, int]:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    return render_template("frame/refused.html", text=str(error), kept=kept), status


def _away(error: Exception) -> tuple[str, int, dict[str, str]]:
    """The answers come back to the worker's own browser, to be sent again from there."""
    _parts()[0].away(error)
    fields = list(request.form.items(multi=True)) if request.method == "POST" else []
    page = render_template("frame/away.html", fields=fields, action=request.full_path.rstrip("?"))
    return page, 503, {"Retry-After": RETRY_AFTER}


def _http_error(error: HTTPException) -> BaseResponse | tuple[str, int]:
    if error.code is None or error.code < 400:
        return error.get_response()
    return render_template("frame/refused.html", text=error.description or error.name, kept=False), error.code


def _headers(response: Response) -> Response:
    common_headers(response)
    _, config = _parts()
    if request.path.startswith("/assets/"):
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response
    response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; style-src {config.addresses.frames}; script-src {config.addresses.frames}; "
        f"{frame_policy(config.addresses.worker, sandbox=True)}",
    )
    return response
