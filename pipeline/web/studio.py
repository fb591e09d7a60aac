"""The studio: all projects of a folder behind one door, and the pages of each under its own path."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from ...extras import requirements
from ...mturk.marketplace.pages.guards import LOOPBACK
from ..app import App
from ..errors import PipelineError
from ..jobs.kept import all_jobs
from ..stages.doctor import examine
from ..stages.names import clean_name, folded
from ..stages.setup import make_workspace
from ..stages.status import read_status
from ..trouble import sentence
from ..wording import counted
from ..workspace.acts import act_as, note_act
from ..workspace.folder import CONFIG_NAME, Workspace
from ..workspace.held import LOCKS, held
from .door import Door, link_of
from .guards import guard_requests
from .mending import Mending
from .opened import jobs, last_workspace
from .read import upcoming
from .site import bare_site, create_web_app

__all__ = ["Studio"]

_UNDER = "/w/"
_Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Shelved:
    """A project as the list shows it: what comes next, what runs and what it holds, or why it cannot be opened."""

    name: str
    href: str
    next: str
    running: tuple[str, ...]
    trouble: str
    figure: str = ""


@dataclass
class Studio:
    """A WSGI app for the workspaces below `folder`: the list at `/`, each one's pages at `/w/<name>/`.

    Whoever opens the link with `token` may do everything, in every project; members of a project's team sign in at
    that project. The folder is made with the first project.
    """

    folder: Path
    hosts: Collection[str] | None = LOOPBACK
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    printed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _open: dict[Path, Flask] = field(default_factory=dict)
    _guard: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.mending = Mending(self.folder / ".mending")
        self.list_app = _list_app(self)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        app: _Wsgi = self.list_app.wsgi_app
        name, _, rest = path.removeprefix(_UNDER).partition("/") if path.startswith(_UNDER) else ("", "", "")
        if name:
            # PATH_INFO is latin-1 of the UTF-8 bytes (PEP 3333).
            found = self._site(name.encode("latin-1").decode("utf-8", "replace"))
            if isinstance(found, str):
                environ = environ | {"galloway.trouble": found}
            else:
                app = found.wsgi_app
                script = environ.get("SCRIPT_NAME", "") + _UNDER + name
                environ = environ | {"SCRIPT_NAME": script, "PATH_INFO": f"/{rest}"}
        return app(environ, start_response)

    def projects(self) -> list[Shelved]:
        """The workspaces of the folder, by name."""
        if not self.folder.is_dir():
            return []
        roots = sorted(path.parent for path in self.folder.glob(f"*/{CONFIG_NAME}"))
        return [_shelved(root, self.token) for root in roots]

    def make(self, text: str) -> str:
        """Make a project; its name in the folder. Raises PipelineError for a name that is taken or says nothing."""
        name = clean_name(text.strip(), "")
        if not name:
            raise PipelineError("A project needs a name, such as: my first swap.")
        taken = {folded(path.name) for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        if folded(name) in taken:
            raise PipelineError(f"There is something called {name} in {self.folder} already. Choose another name.")
        workspace, _ = make_workspace(self.folder / name, text.strip()[:60])
        note_act(workspace, "project", "made the workspace")
        return name

    def remove(self, name: str, figure: str) -> Path:
        """Take a project off the list: its folder goes to `.removed/` beside the others, whole; where it is then.

        Raises PipelineError where there is none of that name, where it does not hold what `figure` says any more, or
        where something is at work in it.
        """
        root = self.folder / name
        found = next((item for item in self.projects() if item.name == name), None)
        if found is None:
            raise PipelineError(f"There is no project {name[:60]} here.")
        if found.running:
            raise PipelineError(f"“{found.running[0]}” is at work in {name}. Stop it there, or let it finish.")
        if found.figure != figure:
            raise PipelineError(f"{name} was left as it is: it holds {found.figure} now. Look at it again.")
        target = self.folder / ".removed" / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        target.parent.mkdir(exist_ok=True)
        with self._guard, ExitStack() as locks:
            for lock in LOCKS:
                locks.enter_context(held(root, lock, "taking the project off the list", 0))
            if (site := self._open.pop(root, None)) is not None:
                jobs(site).close()
                with site.app_context():
                    last_workspace().workspace.db.dispose()
            root.rename(target)
        return target

    def close(self) -> None:
        """End what the projects' servers keep running; jobs that last go on."""
        for site in self._open.values():
            jobs(site).close()

    def _came_in(self) -> bool:
        """Whether the browser behind the current request came to the list by the printed link."""
        kept = self.list_app.session_interface.open_session(self.list_app, request)
        return bool(kept and kept.get("owner"))

    def _site(self, name: str) -> Flask | str:
        """The pages of a project, opened once; or why there are none."""
        root = self.folder / name
        if name in ("", ".", "..") or "/" in name or "\0" in name or not (root / CONFIG_NAME).is_file():
            return f"There is no project {name[:60]} here."
        with self._guard:
            if root not in self._open:
                try:
                    workspace = Workspace.open(root)
                except PipelineError as error:
                    return str(error)
                door = Door(workspace.root, token=self.token, printed_at=self.printed_at, known=self._came_in)
                self._open[root] = create_web_app(workspace, hosts=self.hosts, door=door, studio="/")
            return self._open[root]


def _shelved(root: Path, token: str) -> Shelved:
    href = f"{_UNDER}{quote(root.name)}/?token={token}"
    try:
        app = App(Workspace.open(root))
        status = read_status(app)
        running = tuple(job.title for job in all_jobs(app.workspace)[:20] if job.running)
    except Exception as error:
        said = str(error) if isinstance(error, PipelineError) else sentence(error)
        if said is None:
            raise
        return Shelved(root.name, href, "", (), said)
    sides = status.sides.values()
    figure = ", ".join(
        (
            counted(sum(side.sources for side in sides), "source"),
            counted(sum(side.faces for side in sides), "face"),
            counted(len(status.videos), "film"),
        )
    )
    return Shelved(root.name, href, upcoming(app, status.next_command).text, running, "", figure)


def _list_app(studio: Studio) -> Flask:
    app = bare_site(studio.folder)
    guard_requests(app, None if studio.hosts is None else frozenset(studio.hosts))
    app.before_request(lambda: _come_in(studio))
    app.teardown_request(lambda _: act_as("", "page"))

    @app.get("/")
    def shelf() -> str:
        return render_template("studio.html", projects=studio.projects(), folder=studio.folder, message="")

    @app.post("/projects")
    def make() -> BaseResponse | tuple[str, int]:
        try:
            name = studio.make(request.form.get("name", ""))
        except PipelineError as error:
            page = render_template("studio.html", projects=studio.projects(), folder=studio.folder, message=str(error))
            return page, 400
        return redirect(f"{request.script_root}{_UNDER}{quote(name)}/footage?token={studio.token}", 303)

    @app.post("/projects/remove")
    def remove() -> BaseResponse | tuple[str, int]:
        if request.form.get("yes") != "yes":
            abort(400, "Nothing was removed: tick that you mean it.")
        try:
            gone = studio.remove(request.form.get("name", ""), request.form.get("figure", ""))
        except PipelineError as error:
            page = render_template("studio.html", projects=studio.projects(), folder=studio.folder, message=str(error))
            return page, 409
        flash(f"The project is off the list; its folder is {gone}.")
        return redirect(url_for("shelf"), 303)

    @app.get("/machine")
    def machine() -> str:
        return _machine(studio, "")

    @app.post("/machine/mend")
    def mend() -> BaseResponse | tuple[str, int]:
        extra = request.form.get("extra", "")
        if extra not in {check.extra for _, check in examine(str(studio.folder)) if check.extra}:
            abort(400, "Only what the doctor finds lacking is installed.")
        try:
            studio.mending.start(extra)
        except PipelineError as error:
            return _machine(studio, str(error)), 409
        return redirect(url_for("machine"), 303)

    @app.route(f"{_UNDER}<path:_rest>")
    def none(_rest: str) -> Response:
        abort(404, request.environ.get("galloway.trouble", "There is no such project."))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[str, int]:
        message = error.description or error.name
        return render_template("door.html", name=error.name, message=message, status=error.code), error.code or 500

    return app


def _machine(studio: Studio, message: str) -> str:
    """What the doctor says, and what of it the machine can mend."""
    checks = [(area, check) for area, check in examine(str(studio.folder)) if area != "workspace"]
    lacking = list(dict.fromkeys(check.extra for _, check in checks if check.extra))
    brings = {extra: wanted for extra in lacking if (wanted := requirements(extra))}
    return render_template("machine.html", checks=checks, brings=brings, mending=studio.mending, message=message)


def _come_in(studio: Studio) -> BaseResponse | None:
    """Only who opened the printed link comes in; what the request says of itself is not believed."""
    if request.endpoint == "static":
        return None
    token = request.args.get("token", "")
    if token and request.method == "GET" and hmac.compare_digest(token.encode(), studio.token.encode()):
        session["owner"] = True
        return redirect(url_for("shelf"), 303)
    if not session.get("owner"):
        abort(401, "Open the link that galloway studio printed.")
    act_as(link_of(studio.printed_at), "page")
    return None
