"""How a worker's pages look: language, colours, letters. Kept in the browser, because the first pages come before any
account; the language that nobody chose is the browser's."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Request, redirect, request
from werkzeug.wrappers import Response

from .guards import local_path
from .portal import portal
from .words import LANGUAGES

__all__ = ["Settings", "language_of", "pages", "settings_of"]

pages = Blueprint("settings", __name__)
_CHOICES = {"language": tuple(LANGUAGES), "theme": ("light", "dark"), "type": ("large",)}
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """What somebody chose; "" where the browser or the system is followed."""

    language: str = ""
    theme: str = ""
    type: str = ""


def settings_of(incoming: Request) -> Settings:
    """The choices that the browser brings; anything else in its place counts as none."""
    kept = {name: incoming.cookies.get(f"{name}_choice", "") for name in _CHOICES}
    return Settings(**{name: value if value in _CHOICES[name] else "" for name, value in kept.items()})


def language_of(incoming: Request) -> str:
    """The language of the answer: the chosen one, else the best of those that the browser asks for."""
    return settings_of(incoming).language or incoming.accept_languages.best_match(tuple(LANGUAGES), "en")


@pages.post("/settings")
def keep() -> Response:
    """Keep what was chosen and go back."""
    answer = redirect(local_path(request.form.get("back")), 303)
    for name, allowed in _CHOICES.items():
        value = request.form.get(name, "")
        secure = portal().secure
        if value in allowed:
            cookie = f"{name}_choice"
            answer.set_cookie(cookie, value, max_age=_YEAR, httponly=True, samesite="Lax", secure=secure, path="/")
        else:
            answer.delete_cookie(f"{name}_choice", httponly=True, samesite="Lax", secure=secure, path="/")
    return answer
