"""The browser of a simulated worker: cookies, pages, forms. No JavaScript, no knowledge of any API or database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException, HTTPResponse
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from ..errors import StageError

__all__ = ["Browser", "Form", "Page", "TaskForm", "Tile", "read_page", "read_task"]

_TIMEOUT = 30


@dataclass(slots=True)
class Form:
    """A form of a page: absolute action, and its inputs as (name, type, value) in order."""

    action: str
    method: str
    inputs: list[tuple[str, str, str]] = field(default_factory=list)

    def hidden(self) -> list[tuple[str, str]]:
        """What is sent whatever the worker does."""
        return [(name, value) for name, kind, value in self.inputs if kind == "hidden"]


@dataclass(slots=True)
class Tile:
    """One face of a task: the field's name, the picture's address, the values on offer; and the field that answers for
    its whole group, "" where it stands alone."""

    name: str
    picture: str
    values: list[str] = field(default_factory=list)
    group: str = ""


@dataclass(slots=True)
class Page:
    """A page as it was answered; `forms`, `frames`, `codes` and `notes` are read from its HTML."""

    url: str
    status: int
    html: str
    forms: list[Form] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)

    def form(self, ending: str) -> Form | None:
        """The first form whose action ends so."""
        return next((form for form in self.forms if urlsplit(form.action).path.endswith(ending)), None)

    @property
    def said(self) -> str:
        """What the page tells in its notes, for messages."""
        return " ".join(" ".join(note.split()) for note in self.notes) or f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class TaskForm:
    """A face grid ready to be answered."""

    form: Form
    tiles: Sequence[Tile]

    @property
    def good(self) -> str:
        """The value of a face that is all right: it is offered first."""
        return self.tiles[0].values[0]

    @property
    def rest(self) -> str:
        """What unmarked faces can be confirmed to be in one go, "" where they cannot."""
        offered = [value for name, _, value in self.form.inputs if name == "rest"]
        return offered[0] if offered else ""


def read_page(url: str, status: int, html: str) -> Page:
    """Read the forms, frames and notes of a page."""
    page = Page(url, status, html)
    _Reader(page).feed(html)
    return page


def read_task(page: Page) -> TaskForm | None:
    """The face grid of a frame document, None if it is another kind of task."""
    form = page.form("/externalSubmit")
    tiles = [tile for tile in page.tiles if tile.picture and tile.values]
    return TaskForm(form, tiles) if form is not None and tiles else None


class Browser:
    """One person's browser: a cookie jar for the worker site; frames and pictures are fetched without cookies.

    Frame documents live in a sandbox without an origin, so a real browser sends no cookie of the site with them either.
    """

    def __init__(self) -> None:
        jar = CookieJar(DefaultCookiePolicy(strict_domain=False))
        self._site = build_opener(ProxyHandler({}), HTTPCookieProcessor(jar))
        self._frame = build_opener(ProxyHandler({}))

    def get(self, url: str) -> Page:
        """A page of the worker site; redirects are followed."""
        return self._open(Request(url), framed=False)

    def post(self, form: Form, fields: Mapping[str, str] | None = None) -> Page:
        """Send a form of the worker site with its hidden inputs and `fields`."""
        return self._open(_posting(form, [*form.hidden(), *(fields or {}).items()]), framed=False)

    def frame(self, url: str) -> Page:
        """A frame document."""
        return self._open(Request(url), framed=True)

    def submit(self, form: Form, fields: Sequence[tuple[str, str]]) -> Page:
        """Send a frame document's form."""
        return self._open(_posting(form, fields), framed=True)

    def picture(self, url: str) -> bytes:
        """A picture of a frame document. Raises StageError if it cannot be had."""
        try:
            with self._frame.open(Request(url, headers=_HEADERS), timeout=_TIMEOUT) as answer:
                data: bytes = answer.read()
        except (URLError, HTTPException, OSError) as error:
            if isinstance(error, HTTPError):
                error.close()
            raise StageError(f"A simulated worker could not load the picture {urlsplit(url).path}: {error}") from error
        return data

    def _open(self, request: Request, *, framed: bool) -> Page:
        for name, value in _HEADERS.items():
            request.add_header(name, value)
        try:
            with (self._frame if framed else self._site).open(request, timeout=_TIMEOUT) as answer:
                return _page(answer)
        except HTTPError as refused:
            with refused:
                return read_page(
                    refused.url or request.full_url, refused.code, refused.read().decode("utf-8", "replace")
                )
        except (URLError, HTTPException, OSError) as error:
            raise StageError(
                f"The worker site does not answer at {request.full_url} ({error}). Is the marketplace running? "
                "galloway market serve"
            ) from error


_HEADERS = {"User-Agent": "galloway-simulated-worker", "Accept": "text/html,image/*"}


def _posting(form: Form, fields: Sequence[tuple[str, str]]) -> Request:
    parts = urlsplit(form.action)
    request = Request(form.action, data=urlencode(list(fields)).encode(), method="POST")
    request.add_header("Origin", f"{parts.scheme}://{parts.netloc}")
    return request


def _page(answer: HTTPResponse) -> Page:
    return read_page(answer.url or "", answer.status, answer.read().decode("utf-8", "replace"))


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._picture = ""
        self._group = ""
        self._asked: list[str] | None = None
        self._note = 0
        self._code = False

    def parse_html_declaration(self, i: int) -> int:
        """An unknown `<![…` in a requester's page is a comment, as in browsers, and not an AssertionError."""
        try:
            return super().parse_html_declaration(i)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        page = self._page
        if tag == "form":
            action = urljoin(page.url, values.get("action") or page.url)
            page.forms.append(Form(action, values.get("method", "get").lower()))
        elif tag == "iframe":
            page.frames.append(urljoin(page.url, values.get("src", "")))
        elif tag == "section":
            self._group = ""
        elif tag == "select":
            self._select(values.get("name", ""))
        elif tag == "option" and self._asked is not None and values.get("value"):
            self._asked.append(values["value"])
        elif tag == "img":
            self._picture = urljoin(page.url, values.get("src", ""))
        elif tag == "input" and page.forms:
            self._input(values.get("name", ""), values.get("type", "text").lower(), values.get("value", ""))
        elif tag == "code":
            self._code = True
            page.codes.append("")
        if "note" in values.get("class", "").split():
            page.notes.append("")
            self._note = 1
        elif self._note and tag not in ("br", "img", "input"):
            self._note += 1

    def handle_endtag(self, tag: str) -> None:
        self._code = self._code and tag != "code"
        if tag == "section":
            self._group = ""
        self._note = max(0, self._note - 1)

    def handle_data(self, data: str) -> None:
        if self._code:
            self._page.codes[-1] += data
        if self._note:
            self._page.notes[-1] += data

    def _input(self, name: str, kind: str, value: str) -> None:
        self._page.forms[-1].inputs.append((name, kind, value))

    def _select(self, name: str) -> None:
        """A list of answers: about the face whose picture stands before it, or about all faces of a group."""
        self._asked = None
        if name.startswith("group."):
            self._group = name
        elif name.startswith("face."):
            self._page.tiles.append(Tile(name, self._picture, group=self._group))
            self._asked = self._page.tiles[-1].values
