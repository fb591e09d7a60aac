"""The worker site: a Flask app over `Work`."""

from __future__ import annotations

import logging
import secrets
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Flask, g, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from ... import errors
from ...config import MarketConfig
from ...desk.values import Worker
from ...desk.work import Work
from ...office.operator import Operator
from ...rules.money import written
from ...stamps import new_token
from ...store.outage import AWAY
from .. import operator, settings
from ..guards import RETRY_AFTER, guard
from ..portal import Portal
from ..words import speak
from . import accounts, records, recruits, tasks

__all__ = ["create_worker_app"]

_LOG = logging.getLogger(__name__)

_STATUS: dict[type[errors.WorkError], int] = {
    errors.NotFound: 404,
    errors.NotEligible: 403,
    errors.NothingAvailable: 409,
    errors.TooManyHeld: 409,
    errors.TooLate: 410,
    errors.InPreview: 409,
    errors.BadForm: 422,
    errors.SignInRefused: 403,
    errors.SlowDown: 429,
}


def create_worker_app(work: Work, config: MarketConfig, desk: Operator | None = None) -> Flask:
    """The worker site of one marketplace. `desk` adds the operator page under `/operator`."""
    app = Flask(__name__.rsplit(".", 2)[0], static_folder="static", static_url_path="/assets")
    app.config.update(MAX_CONTENT_LENGTH=1024 * 1024, SECRET_KEY=secrets.token_bytes(32))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    portal = Portal(work, config, desk)
    app.extensions["portal"] = portal
    guard(app, config.addresses.worker)
    if config.worker_url:
        # A public address means a proxy in front: without this, ten strangers' failures would lock everybody out.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    speak(app)
    for part in (accounts.pages, tasks.pages, records.pages, recruits.pages, settings.pages):
        app.register_blueprint(part)
    if desk is not None:
        app.register_blueprint(operator.pages)

    @app.before_request
    def who() -> None:
        if request.endpoint == "static":
            return
        # The operator's pages are English.
        g.language = "en" if request.blueprint == "operator" else settings.language_of(request)
        token = request.cookies.get(portal.cookie, "")
        g.worker = work.worker_of(token) if token else None

    @app.context_processor
    def words() -> dict[str, Any]:
        worker: Worker | None = g.get("worker")
        about = {"market": config.name, "worker": worker, "now": config.clock(), "sandbox": config.sandbox}
        return about | {"settings": settings.settings_of(request), "once": new_token}

    app.add_template_filter(partial(_written, config.currency), "money")
    app.register_error_handler(errors.WorkError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    for kind in AWAY:
        app.register_error_handler(kind, partial(_away, work))
    return app


def _written(usual: str, value: Decimal | None, currency: str | None = None) -> str:
    """An amount in the market's currency, or in another, such as a panel's."""
    return written(value, usual if currency is None else currency)


def _refused(error: errors.WorkError) -> tuple[str, int, dict[str, str]]:
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    headers = {"Retry-After": str(error.seconds)} if isinstance(error, errors.SlowDown) else {}
    unmet = error.unmet if isinstance(error, errors.NotEligible) else ()
    heading = "Nothing left here" if isinstance(error, errors.NothingAvailable) else "That did not work"
    return render_template("worker/error.html", heading=heading, text=str(error), unmet=unmet), status, headers


def _away(work: Work, error: Exception) -> tuple[str, int, dict[str, str]]:
    work.away(error)
    g.setdefault("worker", None)
    text = "The marketplace does not answer at the moment. What you sent before is safe; wait a minute and try again."
    page = render_template("worker/error.html", heading="Not just now", text=text, unmet=())
    return page, 503, {"Retry-After": RETRY_AFTER}


def _http_error(error: HTTPException) -> BaseResponse | tuple[str, int]:
    if error.code is None or error.code < 400:
        return error.get_response()
    heading = {404: "There is no such page", 403: "Not allowed", 413: "That is too large"}.get(error.code, error.name)
    g.setdefault("worker", None)
    return render_template("worker/error.html", heading=heading, text=error.description or "", unmet=()), error.code
