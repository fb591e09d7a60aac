"""How a worker's pages look: language, colours, letters, keys. Kept in the browser, because the first pages come before
any account; the language that nobody chose is the browser's."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from flask import Blueprint, Request, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .guards import local_path
from .keys import DOES, SETS, own_keys, taken_keys, written_keys
from .portal import portal
from .words import LANGUAGES

__all__ = ["Settings", "language_of", "pages", "settings_of"]

pages = Blueprint("settings", __name__)
_CHOICES = {"language": tuple(LANGUAGES), "theme": ("light", "dark"), "type": ("large",)}
_KEYS = "keys_choice"
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody chose; "" where the browser or the system is followed."""

    language: str = ""
    theme: str = ""
    type: str = ""
    keys: str = ""


def settings_of(incoming: Request) -> Settings:
    """The choices that the browser brings; anything else in its place counts as none."""
    kept = {name: incoming.cookies.get(f"{name}_choice", "") for name in _CHOICES}
    keys = unquote(incoming.cookies.get(_KEYS, ""))
    return Settings(
        **{name: value if value in _CHOICES[name] else "" for name, value in kept.items()},
        keys=keys if taken_keys(keys) else "",
    )


def language_of(incoming: Request) -> str:
    """The language of the answer: the chosen one, else the best of those that the browser asks for."""
    return settings_of(incoming).language or incoming.accept_languages.best_match(tuple(LANGUAGES), "en")


@pages.get("/settings/keys")
def keys() -> str:
    """The keys of the pages that are answered, and what can be chosen."""
    chosen = settings_of(request).keys
    return _keys_page(chosen, taken_keys(chosen) or SETS[""])


def _keys_page(chosen: str, own: str, wrong: str = "") -> str:
    kind = chosen if chosen in SETS else "own"
    sets = [(name, written_keys(found)) for name, found in SETS.items()]
    fields = [(name, what, own[place].strip()) for place, (name, what) in enumerate(DOES.items())]
    return render_template("worker/keys.html", kind=kind, sets=sets, fields=fields, wrong=wrong)


@pages.post("/settings/keys")
def keep_keys() -> Response | tuple[str, int]:
    """Keep which keys were chosen."""
    kind = request.form.get("keys", "")
    chosen = kind if kind in SETS else ""
    if kind == "own":
        chosen, wrong = own_keys(request.form)
        if wrong:
            return _keys_page(chosen, chosen, wrong), 400
    answer = redirect(url_for("settings.keys", said="kept"), 303)
    _keep(answer, _KEYS, quote(chosen))
    return answer


@pages.post("/settings")
def keep() -> Response:
    """Keep what was chosen and go back."""
    answer = redirect(local_path(request.form.get("back")), 303)
    for name, allowed in _CHOICES.items():
        value = request.form.get(name, "")
        _keep(answer, f"{name}_choice", value if value in allowed else "")
    return answer


def _keep(answer: Response, cookie: str, value: str) -> None:
    secure = portal().secure
    if value:
        answer.set_cookie(cookie, value, max_age=_YEAR, httponly=True, samesite="Lax", secure=secure, path="/")
    else:
        answer.delete_cookie(cookie, httponly=True, samesite="Lax", secure=secure, path="/")
