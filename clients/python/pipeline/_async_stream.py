"""The events of a run, over one or more connections."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any, AsyncIterator, Dict, Mapping, Optional

from ._async_exchange import AsyncExchange, at
from ._async_transport import AsyncEventConnection
from ._errors import ConnectionFailed, PipelineError, RateLimited, ServerError
from ._events import Event, TextReader, event_of
from ._records import Record
from ._retry import retry_wait


class AsyncRunStream:
    """The events of one run, iterable once: `async for event in stream`, or `async for text in stream.texts()`.

    The request is sent when the first event is read. Closing the stream, by close() or as a context manager, ends the
    request.
    """

    def __init__(
        self,
        exchange: AsyncExchange,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str],
        *,
        run_id: Optional[str],
        can_resume: bool,
    ) -> None:
        self._exchange = exchange
        self._can_resume = can_resume
        self._run_id = run_id
        self._connection: Optional[AsyncEventConnection] = None
        self._events: Optional[AsyncIterator[Event]] = self._read(method, path, body, headers)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._events is None:
            raise StopAsyncIteration
        return await self._events.__anext__()

    async def texts(self) -> AsyncIterator[str]:
        """The text of the first returned sequence in pieces, instead of events.

        Raises RunFailed when the run fails, and StreamInterrupted when generation restarts after text was returned.
        Leaving the loop early ends the request.
        """
        reader = TextReader()
        try:
            async for event in self:
                text = reader.push(event)
                if text:
                    yield text
        finally:
            await self.close()

    async def close(self) -> None:
        """End the request. Idempotent."""
        self._events = None
        await self._disconnect()

    async def __aenter__(self) -> "AsyncRunStream":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _read(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> AsyncIterator[Event]:
        last_id = ""
        drops = 0
        connection = await self._open(method, path, body, headers)
        while True:
            try:
                async for sent in connection:
                    last_id = sent.id
                    # Only tokens are progress: a stream that restarts again and again sends run events.
                    if sent.type in ("token", "beams"):
                        drops = 0
                    event = event_of(sent, self._run_id)
                    if event is None:
                        continue
                    if event.run is not None:
                        self._run_id = event.run.get("id")
                    yield event
                    if event.run is not None and event.run.has_ended:
                        await self._disconnect()
                        return
                url = self._exchange.transport.url
                raise ConnectionFailed(f"{url} ended the stream before the run had ended")
            except PipelineError as error:
                await self._disconnect()
                may_resume = self._can_resume and self._run_id is not None and drops < self._exchange.max_retries
                wait = retry_wait(error, drops, random.random()) if may_resume else None
                if wait is None:
                    raise
            drops += 1
            await asyncio.sleep(wait)
            resume: Dict[str, str] = {"Last-Event-ID": last_id} if last_id else {}
            connection = await self._open("GET", at("/v2/runs", self._run_id or "", "events"), None, resume)

    async def _open(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> AsyncEventConnection:
        connection: AsyncEventConnection = await self._exchange.open_events(method, path, body, headers)
        self._connection = connection
        return connection


class AsyncTextStream:
    """Text in pieces, iterable once: `async for text in stream`. Closing it ends the request, and with it the run."""

    def __init__(self, stream: AsyncRunStream) -> None:
        self._stream = stream
        self._texts = stream.texts()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        return await self._texts.__anext__()

    async def close(self) -> None:
        """End the request. Idempotent."""
        await self._stream.close()

    async def __aenter__(self) -> "AsyncTextStream":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


_FIRST_WAIT = 0.5
_MAX_WAIT = 30.0


async def changes_of(exchange: AsyncExchange) -> AsyncIterator[Record]:
    """The changes of the runs of a project, over as many connections as it takes."""
    wait = _FIRST_WAIT
    while True:
        try:
            connection = await exchange.transport.events("GET", "/v2/events")
            try:
                async for sent in connection:
                    if sent.type == "resync":
                        wait = _FIRST_WAIT
                        yield Record(type="resync")
                    elif sent.type == "run":
                        yield Record(type="run", run=json.loads(sent.data, object_hook=Record))
            finally:
                await connection.close()
        except (ConnectionFailed, RateLimited, ServerError):
            # A lost connection is replaced, and so is one to a server that is busy or restarts.
            pass
        await asyncio.sleep(wait)
        wait = min(2 * wait, _MAX_WAIT)
