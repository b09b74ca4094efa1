"""One HTTP request and its reply: headers, time limits and errors."""

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
    """Redirects are not followed: that would send the token to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Transport:
    """Sends requests to one server. It keeps no connection open, so it needs no closing and may be shared by threads."""

    def __init__(self, url: str, token: str, timeout: Optional[float]) -> None:
        self._url = _checked_url(url)
        self._token = _checked_token(token)
        if timeout is not None and not timeout > 0:
            raise ValueError(f"expected timeout to be seconds above 0, or None for no limit; got {timeout!r}")
        self._timeout = timeout
        # A proxy of the environment cannot reach the loopback addresses of this machine.
        proxies = [urllib.request.ProxyHandler({})] if _is_loopback(self._url) else []
        self._opener = urllib.request.build_opener(_NoRedirects, *proxies)

    @property
    def url(self) -> str:
        return self._url

    def exchange(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """The reply's JSON, objects as Record; None for an empty reply. Raises a PipelineError for any other reply."""
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
            raise UnexpectedReply(f"expected an event stream from {self._url}, got {kind}")
        return EventConnection(self, reply)

    def _open(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        """A 2xx reply whose body is not read yet. The caller closes it."""
        # Strict JSON: NaN and infinity raise ValueError here, before anything is sent.
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
                f"{self._url} redirects to {target}; redirects are refused because of the token: pass that address as url",
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
            # During a run the server sends spaces, which may precede JSON.
            return json.loads(text, object_hook=Record) if text.strip() else None
        except (ValueError, RecursionError) as cause:
            raise UnexpectedReply(f"{self._url} replied with {status} and no JSON", status=status) from cause

    def lost(self, cause: object) -> ConnectionFailed:
        if isinstance(cause, TimeoutError) or "timed out" in str(cause):
            return ConnectionFailed(f"{self._url} was silent for {self._timeout} s; increase timeout, or check its log")
        if isinstance(cause, ConnectionRefusedError):
            return ConnectionFailed(f"found no server at {self._url}; start it, or set url or PIPELINE_API_URL")
        return ConnectionFailed(f"lost the connection to {self._url}: {cause or type(cause).__name__}")


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
        raise ValueError("expected the token to be printable ASCII without spaces; check it for a line break")
    return token


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
