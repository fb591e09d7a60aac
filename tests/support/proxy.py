"""A proxy as nginx is with nothing but `proxy_pass http://127.0.0.1:PORT`: HTTP/1.0, our address as Host, no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import serving

__all__ = ["proxied"]

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length", "upgrade"}


@contextmanager
def proxied(port: int) -> Iterator[str]:
    """The address of a proxy on loopback that passes everything on to 127.0.0.1:`port`."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            upstream = HTTPConnection("127.0.0.1", port, timeout=20)
            upstream._http_vsn, upstream._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
            headers = {**kept, "Host": f"127.0.0.1:{port}", "Connection": "close"}
            upstream.request(self.command, self.path, body or None, headers)
            got = upstream.getresponse()
            data = got.read()
            self.send_response(got.status)
            for name, value in got.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            upstream.close()

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as origin:
        yield origin
