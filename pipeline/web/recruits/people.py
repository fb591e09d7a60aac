"""The people of one study, for those who may spend: their links, their codes, whom to pay all the same, whom not."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast, get_args

import pandas as pd
from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ....curation.spreadsheet import csv_text
from ....curation.types import Progress
from ....mturk.requester.recruit.panel import REASON_LENGTH, Category
from ...app import App
from ...recruiting.counter import open_counter
from ...recruiting.lists import codes_in_file, people_in_file, people_in_lines
from ...recruiting.paying import redeem_all, refuse_one, settle_study
from ...recruiting.studies import personal_links
from ...wording import counted
from ..jobs import Work
from ..opened import jobs, may_act, open_workspace
from .room import blueprint

__all__: list[str] = []

_SHOWN = 500
_T = TypeVar("_T")


@blueprint.get("/<key>/people")
def people(key: str) -> str:
    """Everybody who came to a study, with what can be done for each."""
    return _page(key)


def _page(key: str, taken: tuple[str, ...] = (), wrong: tuple[str, ...] = ()) -> str:
    if not may_act():
        abort(403, "Names and sessions of people are for those who may spend.")
    with open_counter(open_workspace()) as counter:
        study = counter.office.study(key)
        entries = counter.office.entries(key)
        lists = sorted({payment.pay_list for payment in counter.office.payments(key) if payment.pay_list})
    return render_template(
        "recruit_people.html",
        study=study,
        entries=entries[-_SHOWN:][::-1],
        count=len(entries),
        lists=lists,
        categories=get_args(Category),
        least=REASON_LENGTH,
        taken=taken,
        wrong=wrong,
    )


@blueprint.post("/<key>/links")
def links(key: str) -> Response:
    """A signed link for each person, as CSV."""
    days = request.form.get("days", "").strip()
    if days and not (days.isascii() and days.isdigit() and 0 < int(days[:6]) <= 365):
        abort(400, "Links are good for 1 to 365 days, or as long as the study.")
    who = people_in_lines(request.form.get("who", "")) + (_uploaded(people_in_file) or [])
    if not who:
        abort(400, "Nobody was named. Write one participant a line, or choose a table with the column participant.")
    with open_counter(open_workspace()) as counter:
        rows = personal_links(counter, key, who, days=int(days) if days else None)
    table = pd.DataFrame(rows, columns=["participant", "session", "link"])
    headers = {"Content-Disposition": f"attachment; filename=links-{key}.csv"}
    return Response(csv_text(table), mimetype="text/csv", headers=headers)


@blueprint.post("/<key>/codes")
def redeem(key: str) -> str:
    """Take completion codes that people handed in, each once, and say whose they are."""
    codes = request.form.get("codes", "").split() + (_uploaded(codes_in_file) or [])
    if not codes:
        abort(400, "No code was given. Write them, or choose a table with the column code.")
    app = open_workspace()
    with app.workspace.lock("taking codes"), open_counter(app) as counter:
        found, wrong = redeem_all(counter, key, codes)
    return _page(key, tuple(f"{entry.code} is {entry.participant}'s" for entry in found), tuple(wrong))


def _uploaded(read: Callable[..., list[_T]]) -> list[_T] | None:
    """What the chosen file holds; None where none was chosen."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # Its ending says what it is; its name is not ours to use.
        path = Path(folder) / f"list{Path(file.filename).suffix.lower()[:8]}"
        file.save(path)
        return read(path, called=file.filename[-80:])


@blueprint.post("/<key>/approve")
def approve(key: str) -> Response:
    """Pay one person whatever speaks against it."""
    session = _session()

    def work(app: App, progress: Progress) -> str:
        with app.workspace.lock("paying"), open_counter(app) as counter:
            done = settle_study(counter, key, approve=(session,), progress=progress)
        return f"{counted(done.paid + done.listed, 'person', 'people')} paid, or noted for the next list."

    return _begun(key, "Pay one person", work)


@blueprint.post("/<key>/refuse")
def refuse(key: str) -> Response:
    """Refuse the pay of one person, for a reason that the person reads."""
    session, reason, category = _session(), request.form.get("reason", "").strip(), request.form.get("category", "")
    if category not in get_args(Category):
        abort(400, "A refusal is of one of the panel's kinds. Choose one.")

    def work(app: App, _progress: Progress) -> str:
        with app.workspace.lock("refusing"), open_counter(app) as counter:
            refuse_one(counter, key, session, reason=reason, category=cast(Category, category))
        return f"{session} is refused, with the reason."

    return _begun(key, "Refuse one person", work)


def _session() -> str:
    session = request.form.get("session", "").strip()
    if not session or request.form.get("yes") != "yes":
        abort(400, "Nothing was done: choose a person, and tick that this is meant.")
    return session


def _begun(key: str, title: str, work: Work) -> Response:
    jobs().start(title, open_workspace(), work)
    return redirect(url_for("recruits.people", key=key), 303)
