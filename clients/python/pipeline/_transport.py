"""One HTTP exchange: what is sent, how long to wait, and what counts as an error."""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from typing import Any, Iterator, Mapping, Optional
from urllib.parse import urlsplit

from ._errors import ConnectionFailed, PipelineError, UnexpectedReply, error_from_reply
from ._events import MAX_EVENT_BYTES, SentEvent, sent_events
from ._records import Record
from ._version import __version__


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects come back as they are: following one would hand the token to whoever the reply names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Transport:
    """Sends requests to one server. Holds no connection, so it needs no closing and may be shared by threads."""

    def __init__(self, url: str, token: str, timeout: Optional[float]) -> None:
        self._url = _checked_url(url)
        self._token = _checked_token(token)
        if timeout is not None and not timeout > 0:
            raise ValueError(f"expected timeout to be seconds above 0, or None for no limit; got {timeout!r}")
        self._timeout = timeout
        # A proxy set for the outside world cannot reach this machine's own loopback.
        proxies = [urllib.request.ProxyHandler({})] if _is_loopback(self._url) else []
        self._opener = urllib.request.build_opener(_NoRedirects, *proxies)

    @property
    def url(self) -> str:
        return self._url

    def exchange(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """The reply's JSON, objects as Record; None for an empty one. Raises a PipelineError for everything else."""
        reply = self._open(method, path, body, {"Accept": "application/json", **(headers or {})})
        with reply:
            return self._json(reply.status, self._read(reply))

    def events(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> "EventConnection":
        """A reply of server-sent events. Raises a PipelineError for every other reply."""
        reply = self._open(method, path, body, {"Accept": "text/event-stream", **(headers or {})})
        kind = reply.headers.get("content-type") or "nothing"
        if not kind.startswith("text/event-stream"):
            reply.close()
            raise UnexpectedReply(f"expected {self._url} to answer with an event stream, got {kind}")
        return EventConnection(self, reply)

    def _open(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        """A reply of 2xx whose body is still to be read, and to be closed."""
        # Strict JSON: NaN and infinity are refused here (ValueError), before anything is sent.
        payload = None if body is None else json.dumps(body, allow_nan=False).encode()
        sent = {
            **headers,
            "Authorization": f"Bearer {self._token}",
            "User-Agent": f"gptj-cloud-python/{__version__}",
        }
        if payload is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(self._url + path, data=payload, headers=sent, method=method)
        try:
            return self._opener.open(request, timeout=self._timeout)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refused(refusal) from None
        except urllib.error.URLError as cause:
            raise self.lost(cause.reason) from cause
        except (OSError, http.client.HTTPException) as cause:
            raise self.lost(cause) from cause

    def _refused(self, refusal: urllib.error.HTTPError) -> PipelineError:
        status = refusal.code
        headers = {name.lower(): value for name, value in refusal.headers.items()}
        text = self._read(refusal).decode("utf-8", errors="replace")
        if 300 <= status < 400:
            target = headers.get("location", "nowhere")
            return ConnectionFailed(
                f"{self._url} redirects to {target}; redirects are not followed with a token: give that server as url",
                status=status,
            )
        try:
            parsed = json.loads(text, object_hook=Record)
        except (ValueError, RecursionError):
            parsed = None
        return error_from_reply(status, str(refusal.reason or ""), headers, parsed, text)

    def _read(self, reply: Any) -> bytes:
        try:
            raw: bytes = reply.read()
        except (OSError, http.client.HTTPException) as cause:
            raise self.lost(cause) from cause
        return raw

    def _json(self, status: int, raw: bytes) -> Any:
        text = raw.decode("utf-8", errors="replace")
        try:
            # A long run is answered by blanks until its result is there; leading blanks are legal JSON.
            return json.loads(text, object_hook=Record) if text.strip() else None
        except (ValueError, RecursionError) as cause:
            raise UnexpectedReply(f"{self._url} answered {status} without JSON", status=status) from cause

    def lost(self, cause: object) -> ConnectionFailed:
        if isinstance(cause, TimeoutError) or "timed out" in str(cause):
            return ConnectionFailed(f"{self._url} was silent for {self._timeout} s; raise timeout, or look at its log")
        if isinstance(cause, ConnectionRefusedError):
            return ConnectionFailed(f"nothing answers at {self._url}; start the server, or set url or PIPELINE_API_URL")
        return ConnectionFailed(f"lost the connection to {self._url}: {cause or type(cause).__name__}")


class EventConnection:
    """Events of one reply. Closing ends the request."""

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
                raise self._transport.lost(cause) from cause
            if not line:
                return
            yield line


def _checked_url(url: str) -> str:
    wrong = f"expected an http:// or https:// address as url, got {url!r} (the token is the first argument)"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as cause:
        raise ValueError(wrong) from cause
    if not usable:
        raise ValueError(wrong)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("expected url without user name, query or fragment")
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("expected the token to be printable ASCII without blanks; look for a stray line break")
    return token


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
