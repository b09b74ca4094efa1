"""One HTTP request and its reply: headers, time limits and errors."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any, Iterator, Mapping, Optional

from ._errors import ConnectionFailed, PipelineError, UnexpectedReply
from ._events import MAX_EVENT_BYTES, SentEvent, sent_events
from ._http import (
    checked_timeout,
    checked_token,
    checked_url,
    encoded_body,
    is_loopback,
    json_of,
    lost_connection,
    refusal_of,
    request_headers,
)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects are not followed: that would send the token to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Transport:
    """Sends requests to one server. It keeps no connection open, so it may be shared by threads."""

    def __init__(self, url: str, token: str, timeout: Optional[float]) -> None:
        self._url = checked_url(url)
        self._token = checked_token(token)
        self._timeout = checked_timeout(timeout)
        # A proxy of the environment cannot reach the loopback addresses of this machine.
        proxies = [urllib.request.ProxyHandler({})] if is_loopback(self._url) else []
        self._opener = urllib.request.build_opener(_NoRedirects, *proxies)

    @property
    def url(self) -> str:
        return self._url

    def exchange(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """The reply's JSON, objects as Record; None for an empty reply. Raises a PipelineError for any other reply."""
        reply = self._open(method, path, body, "application/json", headers)
        with reply:
            return json_of(self._url, reply.status, self._read(reply))

    def text(self, path: str, accept: str) -> str:
        """The text of a reply to GET."""
        with self._open("GET", path, None, accept, None) as reply:
            return self._read(reply).decode("utf-8", errors="replace")

    def events(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> "EventConnection":
        """A reply of server-sent events. Raises a PipelineError for every other reply."""
        reply = self._open(method, path, body, "text/event-stream", headers)
        kind = reply.headers.get("content-type") or "nothing"
        if not kind.startswith("text/event-stream"):
            reply.close()
            raise UnexpectedReply(f"expected an event stream from {self._url}, got {kind}")
        return EventConnection(self, reply)

    def lost(self, cause: object) -> ConnectionFailed:
        return lost_connection(self._url, self._timeout, cause)

    def _open(self, method: str, path: str, body: Any, accept: str, headers: Optional[Mapping[str, str]]) -> Any:
        """A 2xx reply whose body is not read yet. The caller closes it."""
        payload, described = encoded_body(body)
        sent = {**request_headers(self._token, accept, headers), **described}
        request = urllib.request.Request(self._url + path, data=payload, headers=sent, method=method)
        # Tracebacks of sockets below the message would tell a reader nothing more: `from None` leaves them out.
        try:
            return self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refused(refusal) from None
        except urllib.error.URLError as cause:
            raise self.lost(cause.reason) from None
        except (OSError, http.client.HTTPException) as cause:
            raise self.lost(cause) from None

    def _refused(self, refusal: urllib.error.HTTPError) -> PipelineError:
        headers = {name.lower(): value for name, value in refusal.headers.items()}
        return refusal_of(self._url, refusal.code, str(refusal.reason or ""), headers, self._read(refusal))

    def _read(self, reply: Any) -> bytes:
        try:
            raw: bytes = reply.read()
        except (OSError, http.client.HTTPException) as cause:
            raise self.lost(cause) from None
        return raw


class EventConnection:
    """The events of one reply. Closing it ends the request."""

    def __init__(self, transport: Transport, reply: Any) -> None:
        self._transport = transport
        self._reply = reply

    def __iter__(self) -> Iterator[SentEvent]:
        return sent_events(self._lines())

    def close(self) -> None:
        self._reply.close()

    def _lines(self) -> Iterator[bytes]:
        while True:
            try:
                line = self._reply.readline(MAX_EVENT_BYTES + 1)
            except (OSError, http.client.HTTPException) as cause:
                raise self._transport.lost(cause) from None
            if not line:
                return
            yield line
