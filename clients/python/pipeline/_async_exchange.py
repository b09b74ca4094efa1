"""Requests of a client and their replies, repeated where that is safe."""

from __future__ import annotations

import asyncio
import random
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Mapping, Optional, Type, TypeVar
from urllib.parse import quote

from ._async_transport import AsyncTransport
from ._errors import ConnectionFailed, NotFound, RateLimited, ServerError
from ._http import path_of
from ._records import Page, Record, page_of, record_of
from ._retry import retry_wait

_T = TypeVar("_T")
_R = TypeVar("_R", bound=Record)


class AsyncExchange:
    """Sends the requests of one client."""

    def __init__(self, transport: AsyncTransport, max_retries: int) -> None:
        self.transport = transport
        self.max_retries = max_retries

    async def get(self, path: str, required: str, kind: Type[_R], **query: Any) -> _R:
        """The reply to a GET, an object with the field `required`."""
        address = path_of(path, query)
        return record_of(kind, await self._repeat(lambda: self.transport.exchange("GET", address)), required)

    async def get_any(self, path: str, **query: Any) -> Any:
        """The reply to a GET, of any form."""
        address = path_of(path, query)
        return await self._repeat(lambda: self.transport.exchange("GET", address))

    async def get_text(self, path: str, accept: str, **query: Any) -> str:
        address = path_of(path, query)
        return await self._repeat(lambda: self.transport.text(address, accept))

    async def page(self, path: str, kind: Type[_R], **query: Any) -> Page[_R]:
        return page_of(kind, await self.get(path, "data", Record, **query))

    async def items(self, path: str, kind: Type[_R], **query: Any) -> AsyncIterator[_R]:
        """The items of a list, page after page. With `skip`, a list without cursors: it continues after the items so far."""
        has_cursors = "skip" not in query
        while True:
            page = await self.page(path, kind, **query)
            for item in page["data"]:
                yield item
            cursor = page.get("next_cursor")
            end = int(page.get("skip") or 0) + len(page["data"])
            if has_cursors and cursor is not None:
                query = {**query, "cursor": cursor}
            elif has_cursors or not page["data"] or end >= page.get("total", 0):
                return
            else:
                query = {**query, "skip": end}

    async def data(self, path: str) -> List[Record]:
        """The items of a list without pages."""
        reply = await self.get(path, "data", Record)
        return [record_of(Record, item, "") for item in reply["data"]]

    async def send(
        self,
        method: str,
        path: str,
        required: str,
        kind: Type[_R],
        body: Any = None,
        headers: Optional[Mapping[str, str]] = None,
        idempotent: bool = False,
    ) -> _R:
        """The reply to a write. A POST is sent once, unless it is idempotent."""

        async def attempt() -> Any:
            return await self.transport.exchange(method, path, body, headers=headers)

        repeats = idempotent or method != "POST"
        return record_of(kind, await (self._repeat(attempt) if repeats else attempt()), required)

    async def order(self, path: str, body: Any = None, headers: Optional[Mapping[str, str]] = None) -> None:
        """A POST whose reply is not needed."""
        await self.transport.exchange("POST", path, body, headers=headers)

    async def delete(self, path: str, headers: Optional[Mapping[str, str]] = None) -> None:
        """After a lost reply, 404 means that the lost request has deleted it."""
        was_lost = False

        async def attempt() -> None:
            nonlocal was_lost
            try:
                await self.transport.exchange("DELETE", path, headers=headers)
            except ConnectionFailed:
                was_lost = True
                raise
            except NotFound:
                if not was_lost:
                    raise

        await self._repeat(attempt)

    async def _repeat(self, attempt: Callable[[], Awaitable[_T]]) -> _T:
        """The value of attempt(), retried after transient errors."""
        count = 0
        while True:
            try:
                return await attempt()
            except (ConnectionFailed, RateLimited, ServerError) as error:
                wait = retry_wait(error, count, random.random()) if count < self.max_retries else None
                if wait is None:
                    raise
            await asyncio.sleep(wait)
            count += 1

    async def open_events(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        return await self._repeat(lambda: self.transport.events(method, path, body, headers=headers))


def at(root: str, *parts: str) -> str:
    """The path of an object below root. Raises TypeError for anything but text, before it becomes part of an address."""
    for part in parts:
        if not isinstance(part, str) or not part:
            raise TypeError(f"expected an id, got {part!r}")
    return "/".join([root, *(quote(part, safe="") for part in parts)])


def confirmed(password: Optional[str], code: Optional[str]) -> Dict[str, str]:
    """The headers that prove that the user is there in person."""
    headers: Dict[str, str] = {}
    if password is not None:
        headers["X-Confirm-Password"] = quote(password, safe="")
    if code is not None:
        headers["X-Confirm-Code"] = code
    return headers


def given(**fields: Any) -> Dict[str, Any]:
    """The fields that are not absent (...)."""
    return {name: value for name, value in fields.items() if value is not ...}
