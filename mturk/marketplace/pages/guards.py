"""Headers, origin checks and cookies: what keeps requesters' pages and strangers away from a worker's account."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

__all__ = ["LOOPBACK", "SANDBOX", "check_origin", "frame_policy", "guard", "local_path", "origin_of", "same_origin"]

RETRY_AFTER = "60"
SANDBOX = "allow-scripts allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox"
"""What a requester's document may do. Popups escape, because the commonest task is a link to a survey elsewhere."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def origin_of(url: str) -> str:
    """`scheme://host[:port]` of an URL, "" if it has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""


def same_origin(incoming: Request, public: str | None = None) -> bool:
    """True unless the browser says that the request was made by another site's page.

    Sec-Fetch-Site cannot be forged by a page and tells ports apart ("same-site" is not "same-origin"), which cookies do
    not. Older browsers send Origin with every POST: it must be the address that was asked, or `public`, the site's own
    origin behind a proxy. A client that sends neither is no browser and carries no cookie that another site could ride
    on.
    """
    site = incoming.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = incoming.headers.get("Origin")
    return origin is None or origin in (incoming.host_url.rstrip("/"), public)


def check_origin(incoming: Request, public: str | None = None) -> None:
    """Refuse, with 403, what changes something and was sent by another site's page."""
    if incoming.method not in _SAFE and not same_origin(incoming, public):
        abort(403, "This form was not sent from this site. Open the page again and send it from there.")


def local_path(target: str | None) -> str:
    """`target` if it is a path on this site, else "/": a sign-in never leads elsewhere.

    Browsers drop tabs and line ends out of an address and read a backslash as a slash (WHATWG URL, basic parser), so
    "/<tab>/elsewhere" is another host to them.
    """
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    return target if all(character > " " and character != "\x7f" for character in target) else "/"


def guard(app: Flask, public: str) -> None:
    """Refuse posts from other origins, and set the portal's headers on every answer."""

    @app.before_request
    def one_address() -> BaseResponse | None:
        """127.0.0.1 and localhost are one machine but two origins: frames and cookies know only one of them."""
        here, there = urlsplit(request.host_url), urlsplit(public)
        if request.method != "GET" or here.hostname == there.hostname or here.port != there.port:
            return None
        if {here.hostname, there.hostname} <= LOOPBACK:
            return redirect(public + request.full_path.rstrip("?"), 307)
        return None

    @app.before_request
    def check() -> None:
        check_origin(request, public)

    @app.after_request
    def headers(response: Response) -> Response:
        frame = g.get("frame_origin", "") or "'none'"
        pictures = "*" if g.get("foreign_pictures") else "'self' data:"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
            f"img-src {pictures}; media-src {pictures}; frame-src {frame}; frame-ancestors 'none'; base-uri 'none'"
        )
        if not request.path.startswith("/assets/"):
            response.headers["Cache-Control"] = "no-store"
        # A window of ours that a task opened does not stay in that task's hands.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        common_headers(response)
        return response


def common_headers(response: Response) -> None:
    """Headers of both origins: no referrer (links to pictures and worker ids stay here), no content sniffing."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"


def frame_policy(portal: str, *, sandbox: bool) -> str:
    """CSP of a requester's document: may load what it likes, but in an origin of its own and framed by us alone.

    The sandbox has no allow-same-origin, so that cookies, storage and answers of any server stay unreadable to it,
    also when the link is opened without our frame around it.
    """
    framed = f"frame-ancestors {portal}"
    return f"sandbox {SANDBOX}; {framed}" if sandbox else framed
