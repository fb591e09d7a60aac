"""One HTTP exchange with a panel: never redirected or repeated by itself, and honest about what may have arrived."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..errors import PanelDoubt, PanelError, PanelUnreachable
from .secret import Secret

__all__ = ["Answer", "Transport", "http_transport"]

_TIMEOUT = 30.0
_LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Transport = Callable[[str, str, Mapping[str, str], bytes, Secret], Answer]
"""(method, path with query, headers, body, token) → Answer. PanelUnreachable: never sent; PanelDoubt: sent, no answer.

The token is opened where it is sent and nowhere else, so that no frame of a traceback holds it."""


def http_transport(origin: str) -> Transport:
    """Exchanges with one origin, over TLS; plain HTTP only with this machine itself. Raises PanelError."""
    parts = urlsplit(origin)
    host, port = parts.hostname or "", parts.port
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise PanelError(f"{origin} is no address to send a token to: https is expected.")

    def exchange(method: str, path: str, headers: Mapping[str, str], body: bytes, token: Secret) -> Answer:
        connection: HTTPConnection
        if parts.scheme == "https":
            connection = HTTPSConnection(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
        else:
            connection = HTTPConnection(host, port, timeout=_TIMEOUT)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise PanelUnreachable(f"{host} does not answer ({error}). Nothing was sent.") from None
            try:
                signed = {**headers, "Content-Length": str(len(body))} if method == "POST" else headers
                connection.putrequest(method, path)
                for name, value in signed.items():
                    connection.putheader(name, value)
                connection.putheader("Authorization", f"Token {token.reveal()}")
                connection.endheaders(body or None)
                answer = connection.getresponse()
                content = answer.read(_LARGEST)
            except (OSError, HTTPException) as error:
                # No cause is kept: its frames hold the request, and with it the token.
                raise PanelDoubt(
                    f"{host} was asked ({method} {path.partition('?')[0]}) and gave no answer: {type(error).__name__}. "
                    "It may have been done: run the same command again, it looks first."
                ) from None
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
        finally:
            connection.close()

    return exchange


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
