"""A project's page: which `${variables}` it has, what it lacks, and what a worker sees of one row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files

from ...mturk.marketplace.rules.pages import check_page
from ...mturk.marketplace.rules.questions import with_form
from ..asking.words import WARNING
from ..errors import StageError

__all__ = [
    "GALLERY",
    "check_template",
    "filled",
    "gallery_page",
    "preview_page",
    "variables",
    "veiled_page",
]

_WARNING_LOOKS = "border-left:5px solid #a01820;background:#fdf1f1;color:#1b1f24;padding:8px 12px;font:16px sans-serif"

GALLERY = {
    "image-classification": "Sort pictures: one of a few kinds for each",
    "text-classification": "Sort texts, such as reviews, into positive, neutral and negative",
    "yes-no": "Answer yes or no to a question about a picture",
    "side-by-side": "Say which of two pictures is the better one",
    "transcription": "Type what is written in a picture",
    "survey-link": "Send people to a survey elsewhere and take its code",
    "face-keep-reject": "Keep or reject pictures of faces, one by one",
    "face-same-person": "Say whether two pictures show the same person",
}
"""The pages from which a project can begin, and what each is for."""
_VARIABLE = re.compile(r"\$\{([^{}]+)\}")
_NAMED = re.compile(r"""<(?:input|textarea|select|button)\b[^>]*?\sname\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_LIVELY = re.compile(r"<(?:crowd-|script\b)", re.IGNORECASE)


def variables(html: str) -> tuple[str, ...]:
    """The names in `${…}`, in the order of the page."""
    return tuple(dict.fromkeys(name.strip() for name in _VARIABLE.findall(html)))


def filled(html: str, row: Mapping[str, str]) -> str:
    """The page of one row, with the form and the button that MTurk's website added where they are missing.

    Values go in as they are, as on the website: into attributes and scripts, too. The page runs in a sandbox.
    """
    return with_form(_VARIABLE.sub(lambda match: row[match[1].strip()], html))


def veiled_page(html: str, clear: Mapping[str, str]) -> str:
    """The page with what brings the clear pictures (blurred address → clear one) in the place of the blurred ones: each
    by a tap on it, all by a button; and the warning at its beginning. The page itself where none is blurred."""
    if not clear:
        return html
    script = files("galloway.templates.project").joinpath("veil.js").read_text("utf-8")
    pairs = json.dumps(clear).replace("<", "\\u003c")
    block = (
        f'<p style="{_WARNING_LOOKS}">{WARNING} <button type="button" id="galloway-show">Show the pictures</button></p>'
        f'<script type="application/json" id="galloway-clear">{pairs}</script>\n<script>{script}</script>'
    )
    found = (re.search(tag, html, re.IGNORECASE) for tag in (r"<body\b[^>]*>", "</head>", "<!doctype[^>]*>"))
    at = next((match.end() for match in found if match), 0)
    return html[:at] + block + html[at:]


def preview_page(html: str, row: Mapping[str, str]) -> str:
    """The same page to look at: one file that needs no marketplace and from which nothing can be sent."""
    # Flask comes with it: only where somebody looks.
    from ...mturk.marketplace.pages.frame.preview import preview_document

    return preview_document(filled(html, row))


def check_template(html: str, name: str) -> tuple[str, ...]:
    """What may keep answers from arriving, in sentences. Raises StageError for a page that nobody can answer."""
    found = check_page(with_form(html), template=True)
    if found.impossible:
        raise StageError(f"{name}: {' '.join(found.impossible)}")
    fields = [field for field in _NAMED.findall(html) if field != "assignmentId"]
    if not fields and not _LIVELY.search(html):
        raise StageError(
            f"{name} has no field with a name: nothing can be answered. Add one, such as "
            '<input type="radio" name="answer" value="yes">.'
        )
    return found.doubtful


def gallery_page(name: str) -> str:
    """The page of the gallery called `name`, one of GALLERY."""
    return files("galloway.templates.project").joinpath(f"{name}.html").read_text("utf-8")
