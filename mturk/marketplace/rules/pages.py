"""What a requester's page lacks: what can never be answered is refused at once, what looks wrong is said.

A page that shows no choices, or whose element nobody draws, would be sent empty and paid. MTurk's website checked
little of this; its API nothing. Elements and attributes: AWS's reference of Crowd HTML Elements.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .markup import MarkupParser

__all__ = ["CROWD_ELEMENTS", "SUBMIT_PATH", "PageCheck", "check_page", "lenient_json"]

SUBMIT_PATH = "/mturk/externalSubmit"
CROWD_ELEMENTS = frozenset(
    f"crowd-{name}"
    for name in (
        "alert",
        "badge",
        "bounding-box",
        "button",
        "card",
        "checkbox",
        "classifier",
        "classifier-multi-select",
        "entity-annotation",
        "fab",
        "form",
        "icon-button",
        "image-classifier",
        "image-classifier-multi-select",
        "input",
        "instructions",
        "keypoint",
        "line",
        "modal",
        "polygon",
        "polyline",
        "radio-button",
        "radio-group",
        "rating",
        "slider",
        "slider-label",
        "tab",
        "tabs",
        "text-area",
        "toast",
        "toggle-button",
    )
)
"""What our stand-in for Crowd HTML Elements draws."""
_LISTS = {
    **dict.fromkeys((name for name in CROWD_ELEMENTS if "classifier" in name), "categories"),
    **{
        f"crowd-{name}": "labels"
        for name in ("bounding-box", "entity-annotation", "keypoint", "line", "polygon", "polyline")
    },
}
_SILENT = frozenset(f"crowd-{name}" for name in ("alert", "badge", "button", "card", "form", "instructions", "toast"))
_TOKEN = re.compile(
    r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_$][\w$]*(?=\s*:)|,(?=\s*[\]}])""", re.ASCII | re.DOTALL
)
_FIELDS = frozenset({"input", "textarea", "select", "button"})


@dataclass(frozen=True, slots=True)
class PageCheck:
    """`impossible`: why nobody can ever answer the page. `doubtful`: what may keep answers from arriving. `names`: the
    questions that answers can name; None where a script may bring others."""

    impossible: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    names: frozenset[str] | None = None


def lenient_json(text: str) -> object:
    """JSON, or what AWS's templates write instead: single quotes, bare keys, a comma at the end. None if unreadable."""
    for written in (text, _TOKEN.sub(_as_json, text)):
        try:
            return json.loads(written)
        except (ValueError, RecursionError):
            continue
    return None


def _as_json(token: re.Match[str]) -> str:
    found = token[0]
    if found == ",":
        return ""
    if found.startswith("'"):
        return json.dumps(re.sub(r"\\(.)", r"\1", found[1:-1], flags=re.DOTALL))
    return found if found.startswith('"') else json.dumps(found)


def check_page(html: str, *, template: bool = False) -> PageCheck:
    """What is wrong with an HTMLQuestion's page; with `template`, `${variables}` may still be filled in."""
    reader = _Reader(template)
    reader.feed(html)
    reader.close()
    # A script of the page may bring choices that are not written there.
    scripted = reader.scripts > 0
    impossible = [*reader.impossible, *(() if scripted else reader.empty)]
    doubtful = [*(reader.empty if scripted else ()), *reader.doubts()]
    names = None if scripted else reader.names
    return PageCheck(tuple(dict.fromkeys(impossible)), tuple(dict.fromkeys(doubtful)), names)


class _Reader(MarkupParser):
    """Reads the start tags once."""

    def __init__(self, template: bool) -> None:
        super().__init__()
        self.impossible: list[str] = []
        self.empty: list[str] = []
        self.scripts = 0
        self._template = template
        self._doubts: list[str] = []
        self._forms = self._crowd_forms = 0
        self._named: set[str] = set()
        self._loads_crowd = self._uses_crowd = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._forms += 1
            self._check_action(values.get("action", ""))
        elif tag == "script":
            crowd = "crowd-html-elements" in values.get("src", "").lower()
            self._loads_crowd |= crowd
            self.scripts += not crowd
        elif tag in _FIELDS:
            self._named.add(values.get("name", ""))
        elif tag.startswith("crowd-"):
            self._check_crowd(tag, values)

    def _check_action(self, action: str) -> None:
        host = urlsplit(action.split("${", 1)[0]).hostname if _splits(action) else None
        if host and not host.endswith("mturk.com") and SUBMIT_PATH not in action:
            self._doubts.append(
                f"A form is sent to {host[:80]} and not to {SUBMIT_PATH}: its answers do not arrive here."
            )

    def _check_crowd(self, tag: str, values: dict[str, str]) -> None:
        self._uses_crowd = True
        self._crowd_forms += tag == "crowd-form" or tag in _LISTS
        if tag not in _SILENT:
            self._named.add(values.get("name") or tag)
        if tag not in CROWD_ELEMENTS:
            self.impossible.append(f"<{tag}> is not supported here: a page with it cannot be sent.")
        attribute = _LISTS.get(tag)
        text = values.get(attribute or "", "")
        if attribute is None or (self._template and "${" in text):
            return
        if text.strip() in ("", "[]"):
            self.empty.append(f"<{tag}> has no {attribute}.")
            return
        found = lenient_json(text)
        if not isinstance(found, list) or not found:
            words = f"The {attribute} of <{tag}> cannot be read: {text[:80]!r}."
            self.impossible.append(f'{words} Write a list, such as ["yes", "no"].')

    @property
    def _fields(self) -> set[str]:
        return self._named - {"", "assignmentId"}

    @property
    def names(self) -> frozenset[str]:
        """What answers can be to: the fields, or a crowd page's one answer."""
        return frozenset({"taskAnswers"} if self._crowd_forms else self._fields)

    def doubts(self) -> list[str]:
        """What may keep answers from arriving, known at the end of the page."""
        found = list(self._doubts)
        if self._uses_crowd and not self._loads_crowd:
            found.append("The page uses crowd elements and does not load crowd-html-elements.js.")
        if not self.scripts and not self._crowd_forms and not self._forms:
            found.append("The page has no form: nothing can be sent from it.")
        elif not self.scripts and not self._fields:
            found.append("The page's form has no field with a name: nothing can be answered.")
        return found


def _splits(address: str) -> bool:
    try:
        urlsplit(address.split("${", 1)[0])
    except ValueError:
        return False
    return True
