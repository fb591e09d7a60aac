"""A person's settings: language, colours, letters and keys. A member's are kept with the team, so that they come along
to any browser; everybody else's in the browser, under the names that the worker's site uses too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from ...mturk.marketplace.pages.words import LANGUAGES, catalogue, said
from ..errors import PipelineError
from ..workspace.team import keep_choices
from .door import member_choices, who
from .keys import DOES, SETS, keys_of, own_keys, written_keys
from .opened import last_workspace

__all__ = ["SAID_BY_SCRIPTS", "blueprint", "follow_browser", "follow_member"]

blueprint = Blueprint("settings", __name__)
_CHOICES = {"language": tuple(LANGUAGES), "theme": ("light", "dark"), "type": ("large",)}
_NAMES = (*_CHOICES, "keys")
_YEAR = 365 * 24 * 3600
SAID_BY_SCRIPTS = (
    "{count} face",
    "{count} faces",
    "{marked} marked of {count} face",
    "{marked} marked of {count} faces",
    "At most {most} faces at once.",
    "Face {number}",
    "Say why, once; it stands in the report. Then decide again.",
    "Say who you are, once. Then decide again.",
    "Not decided: {why} What was marked is still marked.",
    "Undo",
    "Nothing of this page is left to take back; earlier steps are under Decisions.",
    "Keys: arrows, Shift marks a range, Space marks, Esc marks none, 1–9 answers, {keys}.",
    "frame {frame} of {frames}",
    "frame {frame} of {frames}, {seconds} s",
    "Play",
    "Pause",
    "{faces} faces in {places} places.",
    "The map could not be read; open the page anew.",
    "The line is cut; trying again …",
    "Not uploaded: {why}",
    "Uploaded: {names}",
    "approved",
    "rejected",
    "disputed",
    "undecided",
    "another person",
    "not a face",
    "bad crop",
)
"""What the pages' scripts say."""


def _allowed(given: Mapping[str, str]) -> dict[str, str]:
    """The choices among what is given that there are; the rest is as if nothing had been chosen."""
    found = {name: given.get(name, "") for name in _NAMES}
    return {name: value if name == "keys" or value in _CHOICES[name] else "" for name, value in found.items()}


def _look(chosen: Mapping[str, str]) -> None:
    g.choices = _allowed(chosen)
    g.language = g.choices["language"] or request.accept_languages.best_match(tuple(LANGUAGES), "en")


def follow_browser() -> None:
    """Let the answer look as the browser says: what was chosen in it, else the languages that it asks for."""
    _look({name: unquote(request.cookies.get(f"{name}_choice", "")) for name in _NAMES})


def follow_member() -> None:
    """Let the answer look as the member who is signed in chose, wherever that was."""
    if who():
        _look({**g.choices, **member_choices()})


@blueprint.app_context_processor
def shared() -> dict[str, Any]:
    """What pages and their scripts know of the person's choices."""
    keys = keys_of(g.choices["keys"])
    return {"look": g.choices, "own_keys": keys, "told_keys": written_keys(keys), "script_words": _script_words}


def _script_words() -> Markup:
    """The words of the scripts for a page in another language than English, as JSON that may stand in a page."""
    words = catalogue(g.language)
    table = {text: words.gettext(text) for text in SAID_BY_SCRIPTS} if g.language != "en" else {}
    return Markup(json.dumps(table, ensure_ascii=False).replace("<", "\\u003c"))


@blueprint.get("/settings")
def page() -> str:
    """What can be chosen, and what was."""
    return _page("", g.choices, keys_of(g.choices["keys"]))


@blueprint.post("/settings")
def keep() -> Response | tuple[str, int]:
    """Keep what was chosen: for a member with the team, for everybody in the browser."""
    chosen, given = _allowed(request.form), {name: request.form.get(f"key-{name}", "") for name in DOES}
    kind = request.form.get("keys", "")
    try:
        chosen["keys"] = own_keys(given) if kind == "own" else kind if kind in SETS else ""
    except PipelineError as error:
        return _page(str(error), {**chosen, "keys": "own"}, given), 400
    if who():
        keep_choices(last_workspace().workspace.root, who(), {name: value for name, value in chosen.items() if value})
    _look(chosen)
    flash("Your settings are kept.")
    answer = redirect(url_for("settings.page"), 303)
    for name, value in chosen.items():
        about: dict[str, Any] = {"httponly": True, "samesite": "Lax", "secure": request.is_secure, "path": "/"}
        if value:
            answer.set_cookie(f"{name}_choice", quote(value), max_age=_YEAR, **about)
        else:
            answer.delete_cookie(f"{name}_choice", **about)
    return answer


def _page(wrong: str, chosen: Mapping[str, str], keys: Mapping[str, str]) -> str:
    kind = chosen["keys"] if chosen["keys"] in SETS else "own"
    sets = [(name, written_keys(found)) for name, found in SETS.items()]
    return render_template(
        "settings.html", wrong=wrong and said(wrong), chosen=chosen, kind=kind, sets=sets, keys=keys, does=DOES
    )
