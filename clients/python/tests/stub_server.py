"""A server on loopback that records requests and sends the replies of the test."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, NamedTuple, Optional


class Reply(NamedTuple):
    status: int = 200
    body: Any = None
    headers: Optional[Dict[str, str]] = None
    #: Sent unchanged instead of body; content_length may be larger than the body, -1 leaves it out.
    raw: Optional[bytes] = None
    content_length: Optional[int] = None
    #: Number of spaces sent before the body, as the server does during a run.
    spaces: int = 0
    #: Send nothing until the server closes.
    silent: bool = False


class Received(NamedTuple):
    method: str
    path: str
    headers: Dict[str, str]
    body: Any


def _json_of(text: bytes) -> Any:
    """The JSON of a request, or its bytes where it is something else."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


class StubServer:
    """Use as a context manager. Replies are sent in order; the last one is repeated."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: List[Reply] = list(replies)
        self.received: List[Received] = []
        self._closing = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _reply(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                text = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                stub.received.append(Received(self.command, self.path, headers, _json_of(text)))
                reply = stub.replies.pop(0) if len(stub.replies) > 1 else stub.replies[0]
                self.close_connection = True
                if reply.silent:
                    stub._closing.wait()
                    return
                raw = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
                if reply.status == 204:
                    raw = b""
                self.send_response(reply.status)
                for name, value in (reply.headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                if reply.content_length != -1:
                    self.send_header("Content-Length", str(reply.content_length or reply.spaces + len(raw)))
                self.end_headers()
                for _ in range(reply.spaces):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                self.wfile.write(raw)

            do_GET = do_POST = do_PATCH = do_DELETE = _reply

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StubServer":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
