"""Public addresses of a marketplace behind a proxy: read as origins, or refused before anything is served."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from .config import MarketConfig
from .errors import OperatorError

__all__ = ["with_origins"]

_ALL = ("", "0.0.0.0", "::")


def with_origins(config: MarketConfig) -> MarketConfig:
    """The config with its public addresses written as origins: `https://name`, lower case, without a slash at the end.

    Raises OperatorError for what could not work in a browser: no scheme, a path, one of the two sites alone, one
    origin for both (the requester's pages would share cookies with the worker site), a frame without TLS in a page
    with it, no public address where all of the machine's are listened on.
    """
    api, worker, frame = (
        _origin(text, option)
        for text, option in (
            (config.api_url, "--api-url"),
            (config.worker_url, "--worker-url"),
            (config.frame_url, "--frame-url"),
        )
    )
    if bool(worker) != bool(frame):
        missing, given = ("--frame-url", worker) if worker else ("--worker-url", frame)
        raise OperatorError(
            f"{given} is public, and {missing} is not given: the worker site's pages hold the requesters' in a frame, "
            "so people elsewhere need both. Give the other one, of a different host."
        )
    if worker and worker == frame:
        raise OperatorError(
            f"The worker site and the frames have the same origin, {worker}: pages of requesters could act for the "
            "worker. Give the frames another host name or port: --frame-url"
        )
    if worker.startswith("https:") and frame.startswith("http:"):
        raise OperatorError(
            f"Browsers show nothing of {frame} in a page of {worker}. Give the frames TLS as well: https"
        )
    if not worker and config.host in _ALL:
        raise OperatorError(
            f"{config.host} stands for all addresses of this machine and is none that a link could lead to. Say where "
            "people reach the two sites, --worker-url and --frame-url, or listen on one address: --host 127.0.0.1 "
            "(market.host in a workspace's galloway.toml)"
        )
    return replace(config, api_url=api, worker_url=worker, frame_url=frame)


def _origin(text: str, option: str) -> str:
    """`text` as an origin; "" stays ""."""
    if not text:
        return ""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise OperatorError(f"{option} {text!r} is no public address. Write it as https://work.example")
    if parts.path.strip("/"):
        raise OperatorError(
            f"{option} {text!r} has a path, and a marketplace's pages stand at the top of a host. Give it a name of "
            f"its own, such as https://{option.strip('-').removesuffix('-url')}.{parts.hostname}"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")
