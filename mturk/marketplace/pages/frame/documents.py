"""A requester's HTML as the frame serves it: addresses filled in, drafts put back, our small scripts in place.

Everything is one pass over the start tags; text, scripts and styles of the requester stay byte for byte, except that
MTurk's submit addresses become ours wherever they are written. Works for documents that never heard of us and, with
`${assignmentId}` and `${turkSubmitTo}` in form attributes, also without JavaScript.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from ...rules.markup import MarkupParser
from ...rules.pages import SUBMIT_PATH, check_page
from ..words import catalogue

__all__ = ["FrameContext", "serve_document"]

_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE | re.ASCII)
_MTURK = r"(?:https?:)?//(?:www|worker|workersandbox)\.mturk\.com"
_SUBMIT_HOSTS = re.compile(rf"{_MTURK}(?={SUBMIT_PATH})", re.IGNORECASE)
_SCRIPTS = re.compile(r"<script\b[^>]*>.*?</script", re.IGNORECASE | re.DOTALL)
_SCRIPT_HOSTS = re.compile(rf"""(?<=["'`]){_MTURK}(?=/?["'`])""", re.IGNORECASE)
_LOADERS = (("externalhit_v1.js", "externalHIT_v1.js"), ("crowd-html-elements.js", "crowd.js"))
_RESERVED = frozenset({"assignmentId", "hitId", "workerId", "turkSubmitTo"})
_UNRESTORED = frozenset({"hidden", "submit", "button", "image", "reset", "file", "password"})
_PAUSE = "<!--galloway:pause-->"
_OFFLINE = "You are offline. Your answers are still here: send them when the connection is back."


@dataclass(frozen=True, slots=True)
class FrameContext:
    """What is filled into a document. `assets` is the frame origin's folder of scripts, without a slash at the end;
    `language` is that of what we add to it."""

    assignment_id: str
    hit_id: str
    worker_id: str
    turk_submit_to: str
    assets: str
    portal: str
    preview: bool
    seen: bool = False
    language: str = "en"
    draft: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def submit_url(self) -> str:
        """Where the form is posted."""
        return f"{self.turk_submit_to}{SUBMIT_PATH}"

    @property
    def placeholders(self) -> dict[str, str]:
        """The documented placeholders and their values."""
        return {
            "${assignmentId}": self.assignment_id,
            "${hitId}": self.hit_id,
            "${workerId}": self.worker_id,
            "${turkSubmitTo}": self.turk_submit_to,
        }


def serve_document(html: str, context: FrameContext) -> str:
    """The document to send for a requester's HTML."""
    checked = check_page(html) if context.preview else None
    html = _SUBMIT_HOSTS.sub(lambda _: context.turk_submit_to, html)
    # A host that a script puts together with the path later; in text and links it is only a mention.
    html = _SCRIPTS.sub(lambda script: _SCRIPT_HOSTS.sub(lambda _: context.turk_submit_to, script[0]), html)
    html = _Rewriter(html, context).result()
    html = html.replace(_PAUSE, "" if context.preview else _pause_button(context))
    html = _with_script(html, context)
    return html if checked is None else _with_notes(html, (*checked.impossible, *checked.doubtful))


def _with_notes(html: str, notes: Sequence[str]) -> str:
    """A preview says what the page lacks, where its requester looks."""
    if not notes:
        return html
    words = "".join(f"<li>{escape(note)}</li>" for note in notes)
    note = (
        '<div role="note" style="font:16px/1.5 system-ui,sans-serif;border-left:5px solid #a01820;background:#fdeeee;'
        f'color:#5c0a10;padding:10px 14px">What this page lacks:<ul>{words}</ul></div>'
    )
    return _at_the_end(html, note)


def _at_the_end(html: str, added: str) -> str:
    """The page with something at the end of its body."""
    # Positions in the text itself: lower-casing changes lengths ("İ" becomes two characters).
    at = max((match.start() for match in _BODY_END.finditer(html)), default=len(html))
    return html[:at] + added + html[at:]


def _pause_button(context: FrameContext) -> str:
    action = escape(f"{context.turk_submit_to}/mturk/draft", quote=True)
    words = escape(catalogue(context.language).gettext("Save and pause"))
    return f'<button type="submit" formnovalidate formaction="{action}">{words}</button>'


def _with_script(html: str, context: FrameContext) -> str:
    data = {
        "assignment": "" if context.preview else context.assignment_id,
        "submit": context.submit_url,
        "draft": f"{context.turk_submit_to}/mturk/draft",
        "portal": context.portal,
        "offline": catalogue(context.language).gettext(_OFFLINE),
    }
    if context.draft:
        data["values"] = json.dumps({name: list(values) for name, values in context.draft.items()})
    attributes = " ".join(f'data-{name}="{escape(value, quote=True)}"' for name, value in data.items())
    script = f'<script src="{escape(context.assets, quote=True)}/frame.js" id="market-frame" {attributes}></script>'
    return _at_the_end(html, script)


class _Rewriter(MarkupParser):
    """Collects edits (start, end, new text) of start tags and textarea contents, then applies them."""

    def __init__(self, html: str, context: FrameContext) -> None:
        super().__init__()
        self._html, self._context = html, context
        self._lines = [0, *(match.end() for match in re.finditer("\n", html))]
        self._edits: list[tuple[int, int, str]] = []
        self._alone = len(re.findall("<form", html, re.IGNORECASE)) == 1
        self._form: dict[str, str | None] | None = None
        self._named = False
        self._select: str | None = None
        self._option: tuple[int, str, dict[str, str | None], list[str]] | None = None
        self._textarea: tuple[int, str] | None = None
        self._start = 0

    def result(self) -> str:
        self.feed(self._html)
        self.close()
        script = f'<script src="{escape(self._context.assets, quote=True)}/early.js"></script>'
        parts, at = [], 0
        for start, end, text in sorted([*self._edits, (self._start, self._start, script)]):
            parts += [self._html[at:start], text]
            at = end
        return "".join([*parts, self._html[at:]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start, raw = self._offset(), self.get_starttag_text() or ""
        values = dict(attrs)
        if tag in ("option", "optgroup"):
            self._end_option()
        new = self._changed(tag, dict(values))
        if new is not None and new != values:
            self._edits.append((start, start + len(raw), _tag(tag, new, raw.endswith("/>"))))
        if tag in ("html", "head") and not self._edits:
            self._start = start + len(raw)
        elif tag == "form":
            self._form, self._named = new, False
        elif tag == "input" and values.get("name") == "assignmentId":
            self._named = True
        elif tag == "select":
            self._select = values.get("name")
        elif tag == "option" and self._select in self._context.draft and values.get("value") is None:
            self._option = (start, raw, values, [])
        elif tag == "textarea":
            self._textarea = (start + len(raw), values.get("name") or "")

    def handle_data(self, data: str) -> None:
        if self._option is not None:
            self._option[3].append(data)

    def _end_option(self) -> None:
        """An option without a value has its text for one, known only now."""
        if self._option is not None:
            (start, raw, values, text), self._option = self._option, None
            value = " ".join("".join(text).split())
            new = _flag(values, "selected", value in self._context.draft.get(self._select or "", ()))
            if new != values:
                self._edits.append((start, start + len(raw), _tag("option", new, False)))

    def handle_decl(self, decl: str) -> None:
        if not self._start:
            self._start = self._html.find(">", self._offset()) + 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("option", "optgroup", "select"):
            self._end_option()
        if tag == "select":
            self._select = None
        elif tag == "form":
            self._end_form()
        elif tag == "textarea" and self._textarea is not None:
            (start, name), self._textarea = self._textarea, None
            kept = self._context.draft.get(name)
            if kept:
                self._edits.append((start, self._offset(), escape(kept[0])))

    def _changed(self, tag: str, values: dict[str, str | None]) -> dict[str, str | None] | None:
        if tag == "form":
            return self._own_form(self._filled(values))
        if tag == "script":
            return self._local_script(values)
        if tag == "input":
            return self._input(self._filled(values))
        if tag == "details" and "data-once" in values and self._context.seen:
            return {name: value for name, value in values.items() if name != "open"}
        if tag == "button" and self._context.preview and values.get("type") == "submit":
            return values | {"disabled": None}
        if tag == "option" and self._select in self._context.draft and values.get("value") is not None:
            return _flag(values, "selected", values["value"] in self._context.draft[self._select or ""])
        return None

    def _own_form(self, values: dict[str, str | None]) -> dict[str, str | None]:
        """A form that is sent to us, by POST; the only form of a page also where it names no address."""
        if self._alone and (values.get("action") or "").strip() in ("", "#"):
            values = values | {"action": self._context.submit_url}
        return values | {"method": "post"} if _is_ours(values) else values

    def _end_form(self) -> None:
        """Without the assignment's id the answers belong to nobody: it is added where the page forgot it."""
        if self._form is not None and not self._named and _is_ours(self._form):
            value = escape(self._context.assignment_id, quote=True)
            at = self._offset()
            self._edits.append((at, at, f'<input type="hidden" name="assignmentId" value="{value}">'))
        self._form = None

    def _filled(self, values: dict[str, str | None]) -> dict[str, str | None]:
        """Placeholders in attributes; an empty assignmentId field as the well-known template has it."""
        for name, value in values.items():
            for placeholder, filling in self._context.placeholders.items():
                if value and placeholder in value:
                    value = value.replace(placeholder, filling)
            values[name] = value
        if values.get("name") == "assignmentId" and not values.get("value"):
            values["value"] = self._context.assignment_id
        return values

    def _input(self, values: dict[str, str | None]) -> dict[str, str | None]:
        kind, name = (values.get("type") or "text").lower(), values.get("name") or ""
        if kind in ("submit", "image") and self._context.preview:
            return values | {"disabled": None}
        draft = self._context.draft
        if not draft or not name or name in _RESERVED or kind in _UNRESTORED:
            return values
        if kind in ("radio", "checkbox"):
            return _flag(values, "checked", (values.get("value") or "on") in draft.get(name, ()))
        return values | {"value": draft[name][0]} if draft.get(name) else values

    def _local_script(self, values: dict[str, str | None]) -> dict[str, str | None] | None:
        source = (values.get("src") or "").split("?", 1)[0].lower()
        for ending, ours in _LOADERS:
            if source.endswith(f"/{ending}"):
                kept = {name: value for name, value in values.items() if name not in ("integrity", "crossorigin")}
                return kept | {"src": f"{self._context.assets}/{ours}"}
        return None

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _is_ours(form: Mapping[str, str | None]) -> bool:
    return (form.get("action") or "").split("?")[0].endswith(SUBMIT_PATH)


def _flag(values: dict[str, str | None], name: str, on: bool) -> dict[str, str | None]:
    rest = {key: value for key, value in values.items() if key != name}
    return rest | {name: None} if on else rest


def _tag(tag: str, values: dict[str, str | None], closed: bool) -> str:
    words = [tag]
    for name, value in values.items():
        words.append(name if value is None else f'{name}="{escape(value, quote=True)}"')
    return f"<{' '.join(words)}{' /' if closed else ''}>"
