"""HTTP/1.1 over asyncio streams: one request a connection, as the synchronous transport sends them.

Threads around that transport would be shorter, but every run holds its connection until it has ended, so that a thousand
concurrent runs would need a thousand threads; and a thread that waits for a socket cannot be cancelled.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import urllib.request
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, Mapping, Optional, Tuple, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from ._errors import ConnectionFailed, UnexpectedReply
from ._events import EventParser, SentEvent
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

_T = TypeVar("_T")

_MAX_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
#: What can go wrong with a connection. ValueError: a reply that is not HTTP.
_FAULTS = (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


class AsyncTransport:
    """Sends requests to one server. It keeps no connection open, so it belongs to no event loop."""

    def __init__(self, url: str, token: str, timeout: Optional[float]) -> None:
        self._url = checked_url(url)
        self._token = checked_token(token)
        self._timeout = checked_timeout(timeout)
        self._tls = ssl.create_default_context() if self._url.startswith("https:") else None

    @property
    def url(self) -> str:
        return self._url

    async def exchange(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """The reply's JSON, objects as Record; None for an empty reply. Raises a PipelineError for any other reply."""
        reply = await self._open(method, path, body, "application/json", headers)
        try:
            return json_of(self._url, reply.status, await self._read(reply))
        finally:
            reply.close()

    async def text(self, path: str, accept: str) -> str:
        """The text of a reply to GET."""
        reply = await self._open("GET", path, None, accept, None)
        try:
            return (await self._read(reply)).decode("utf-8", errors="replace")
        finally:
            reply.close()

    async def events(
        self, method: str, path: str, body: Any = None, *, headers: Optional[Mapping[str, str]] = None
    ) -> "AsyncEventConnection":
        """A reply of server-sent events. Raises a PipelineError for every other reply."""
        reply = await self._open(method, path, body, "text/event-stream", headers)
        kind = reply.headers.get("content-type") or "nothing"
        if not kind.startswith("text/event-stream"):
            reply.close()
            raise UnexpectedReply(f"expected an event stream from {self._url}, got {kind}")
        return AsyncEventConnection(self, reply)

    def lost(self, cause: object) -> ConnectionFailed:
        return lost_connection(self._url, self._timeout, cause)

    async def _open(
        self, method: str, path: str, body: Any, accept: str, headers: Optional[Mapping[str, str]]
    ) -> "_Reply":
        """A 2xx reply whose body is not read yet. The caller closes it."""
        payload, described = encoded_body(body)
        sent = {**request_headers(self._token, accept, headers), **described}
        try:
            reply = await self._send(method, path, sent, payload)
        except _FAULTS as cause:
            raise self.lost(cause) from None
        if 200 <= reply.status < 300:
            return reply
        try:
            raw = await self._read(reply)
        finally:
            reply.close()
        raise refusal_of(self._url, reply.status, reply.reason, reply.headers, raw)

    async def _send(self, method: str, path: str, headers: Dict[str, str], payload: Optional[bytes]) -> "_Reply":
        target = urlsplit(self._url + path)
        proxy = None if is_loopback(self._url) else _proxy_of(target)
        reader, writer = await _within(self._timeout, _connect(target, self._tls, proxy), _discard)
        try:
            address = f"{target.path or '/'}{'?' + target.query if target.query else ''}"
            if proxy is not None and self._tls is None:
                address = target.geturl()
                headers = {**headers, **_proxy_authorization(proxy)}
            lines = [f"{method} {address} HTTP/1.1", f"Host: {target.netloc}", "Connection: close"]
            lines += [f"{name}: {_header_value(value)}" for name, value in headers.items()]
            if payload is not None or method in ("POST", "PATCH"):
                lines.append(f"Content-Length: {len(payload or b'')}")
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (payload or b""))
            await _within(self._timeout, writer.drain())
            return await _read_head(reader, writer, self._timeout)
        except BaseException:
            # A cancelled task must not leave its connection open.
            writer.transport.abort()
            raise

    async def _read(self, reply: "_Reply") -> bytes:
        try:
            return b"".join([piece async for piece in reply.pieces()])
        except _FAULTS as cause:
            raise self.lost(cause) from None


class AsyncEventConnection:
    """The events of one reply. Closing it ends the request."""

    def __init__(self, transport: AsyncTransport, reply: "_Reply") -> None:
        self._transport = transport
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[SentEvent]:
        parser = EventParser()
        try:
            async for piece in self._reply.pieces():
                for event in parser.push(piece):
                    yield event
        except _FAULTS as cause:
            raise self._transport.lost(cause) from None

    async def close(self) -> None:
        self._reply.close()


class _Reply:
    """A reply whose head is read. Names of headers are in lower case."""

    def __init__(
        self,
        status: int,
        reason: str,
        headers: Dict[str, str],
        streams: Tuple[asyncio.StreamReader, asyncio.StreamWriter],
        timeout: Optional[float],
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self._reader, self._writer = streams
        self._timeout = timeout

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body in pieces. Every piece restarts the time limit. Raises a member of _FAULTS."""
        if self.status in (204, 304):
            return
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            async for piece in self._chunks():
                yield piece
            return
        length = self.headers.get("content-length")
        left = None if length is None else int(length)
        while left is None or left > 0:
            size = _PIECE_BYTES if left is None else min(left, _PIECE_BYTES)
            piece = await _within(self._timeout, self._reader.read(size))
            if not piece:
                if left is not None:
                    raise ConnectionError(f"the reply ended {left} bytes early")
                return
            left = None if left is None else left - len(piece)
            yield piece

    def close(self) -> None:
        """End the connection. Idempotent."""
        self._writer.transport.abort()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            line = await _within(self._timeout, self._reader.readuntil(b"\n"))
            left = int(line.split(b";", 1)[0].strip(), 16)
            if left == 0:
                return
            while left > 0:
                piece = await _within(self._timeout, self._reader.read(min(left, _PIECE_BYTES)))
                if not piece:
                    raise ConnectionError("the reply ended within a chunk")
                left -= len(piece)
                yield piece
            await _within(self._timeout, self._reader.readexactly(2))


async def _within(timeout: Optional[float], work: Awaitable[_T], discard: Callable[[_T], None] = lambda _: None) -> _T:
    """The value of work, or TimeoutError when it takes longer than timeout.

    Not asyncio.wait_for, which before Python 3.12 loses a cancellation that arrives together with the value. discard closes a
    value that came too late.
    """
    task = asyncio.ensure_future(work)

    def drop(ended: "asyncio.Future[_T]") -> None:
        if not ended.cancelled() and ended.exception() is None:
            discard(ended.result())

    try:
        await asyncio.wait({task}, timeout=timeout)
    except BaseException:
        task.add_done_callback(drop)
        task.cancel()
        raise
    if task.done():
        return task.result()
    task.add_done_callback(drop)
    task.cancel()
    raise asyncio.TimeoutError


def _discard(streams: Tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    streams[1].transport.abort()


async def _connect(
    target: SplitResult, tls: Optional[ssl.SSLContext], proxy: Optional[SplitResult]
) -> Tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = target.hostname or "", target.port or (443 if tls else 80)
    if proxy is None:
        return await asyncio.open_connection(host, port, ssl=tls, limit=_MAX_HEAD_BYTES)
    proxy_host, proxy_port = proxy.hostname or "", proxy.port or 80
    if tls is None:
        return await asyncio.open_connection(proxy_host, proxy_port, limit=_MAX_HEAD_BYTES)
    tunnel = await _tunnel(proxy, proxy_host, proxy_port, f"{host}:{port}")
    try:
        return await asyncio.open_connection(sock=tunnel, ssl=tls, server_hostname=host, limit=_MAX_HEAD_BYTES)
    except BaseException:
        tunnel.close()
        raise


async def _tunnel(proxy: SplitResult, host: str, port: int, target: str) -> socket.socket:
    """A connection to target through a proxy, by CONNECT."""
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
    tunnel = socket.socket(family, kind, protocol)
    try:
        tunnel.setblocking(False)
        await loop.sock_connect(tunnel, address)
        extra = [f"{name}: {value}" for name, value in _proxy_authorization(proxy).items()]
        request = "\r\n".join([f"CONNECT {target} HTTP/1.1", f"Host: {target}", *extra, "", ""])
        await loop.sock_sendall(tunnel, request.encode("latin-1"))
        head = b""
        # Byte by byte, for what follows the head belongs to TLS.
        while not head.endswith(b"\r\n\r\n"):
            byte = await loop.sock_recv(tunnel, 1)
            if not byte or len(head) > _MAX_HEAD_BYTES:
                raise ConnectionError("the proxy ended the connection")
            head += byte
        status = head.split(b" ", 2)[1:2]
        if status != [b"200"]:
            raise ConnectionError(f"the proxy refused the connection: {head.splitlines()[0].decode('latin-1')}")
        return tunnel
    except BaseException:
        tunnel.close()
        raise


async def _read_head(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: Optional[float]
) -> _Reply:
    while True:
        raw = await _within(timeout, reader.readuntil(b"\r\n\r\n"))
        first, *lines = raw.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        code, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdigit():
            raise ValueError(f"expected a reply of HTTP/1.1, got {first[:80]!r}")
        headers: Dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        # 1xx announces the reply.
        if int(code) >= 200:
            return _Reply(int(code), reason, headers, (reader, writer), timeout)


def _proxy_of(target: SplitResult) -> Optional[SplitResult]:
    """The proxy of the environment for an address, as urllib chooses it."""
    address = urllib.request.getproxies().get(target.scheme)
    if not address or urllib.request.proxy_bypass(target.hostname or ""):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def _proxy_authorization(proxy: SplitResult) -> Dict[str, str]:
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def _header_value(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise ValueError("expected a header without a line break")
    return value
