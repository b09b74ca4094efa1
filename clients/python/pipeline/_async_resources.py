"""Pipelines, tags, presets, evaluations, webhooks, files and data of a project."""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterable, Mapping, Optional, Union

from ._async_exchange import AsyncExchange, at, confirmed, given
from ._http import Upload
from ._records import Page, Record, Run
from ._results import bytes_of_hex

#: An argument with this value stays as it is; None is a value.
_KEEP: Any = ...


class AsyncPipelines:
    """The pipelines of the server."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def list(self, *, limit: int = 20, skip: int = 0) -> Page[Record]:
        return await self._exchange.page("/v2/pipelines", Record, limit=limit, skip=skip)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All pipelines, page after page."""
        return self._exchange.items("/v2/pipelines", Record, limit=limit, skip=0)

    async def get(self, id_or_tag: str) -> Record:
        return await self._exchange.get(at("/v2/pipelines", id_or_tag), "id", Record)


class AsyncTags:
    """Names of the form `name:tag` for pipelines, valid in one project."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(self, name: str, pipeline: str) -> Record:
        """pipeline is an id or another tag. Never retried."""
        body = {"name": name, "pipeline_id": pipeline}
        return await self._exchange.send("POST", "/v2/pipeline-tags", "id", Record, body)

    async def list(
        self,
        *,
        pipeline_id: Optional[str] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """All tags of the project, or those of one pipeline."""
        query = {"pipeline_id": pipeline_id, "limit": limit, "skip": skip, "cursor": cursor}
        return await self._exchange.page("/v2/pipeline-tags", Record, **query)

    def iter(self, *, pipeline_id: Optional[str] = None, limit: int = 100) -> AsyncIterator[Record]:
        """All of them, page after page."""
        return self._exchange.items("/v2/pipeline-tags", Record, pipeline_id=pipeline_id, limit=limit)

    async def get_by_name(self, name: str) -> Record:
        return await self._exchange.get(at("/v2/pipeline-tags/by-name", name), "id", Record)

    async def move(self, tag_id: str, pipeline: str) -> Record:
        """Assign the tag to another pipeline."""
        body = {"pipeline_id": pipeline}
        return await self._exchange.send("PATCH", at("/v2/pipeline-tags", tag_id), "id", Record, body)

    async def delete(self, tag_id: str) -> None:
        await self._exchange.delete(at("/v2/pipeline-tags", tag_id))


class AsyncPresets:
    """Parameters of runs under a name, shared by the members of a project."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(self, name: str, parameters: Mapping[str, Any], *, prompt: Optional[str] = None) -> Record:
        """The name must be free in the project. Never retried."""
        body = {"name": name, "parameters": dict(parameters), "prompt": prompt}
        return await self._exchange.send("POST", "/v2/presets", "id", Record, body)

    async def list(self, *, limit: int = 20, skip: int = 0, cursor: Optional[str] = None) -> Page[Record]:
        return await self._exchange.page("/v2/presets", Record, limit=limit, skip=skip, cursor=cursor)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All presets, page after page."""
        return self._exchange.items("/v2/presets", Record, limit=limit)

    async def get(self, preset_id: str) -> Record:
        return await self._exchange.get(at("/v2/presets", preset_id), "id", Record)

    async def change(
        self,
        preset_id: str,
        *,
        name: str = _KEEP,
        parameters: Mapping[str, Any] = _KEEP,
        prompt: Optional[str] = _KEEP,
    ) -> Record:
        """Change the fields of the arguments. prompt: None removes it."""
        body = given(name=name, parameters=parameters, prompt=prompt)
        return await self._exchange.send("PATCH", at("/v2/presets", preset_id), "id", Record, body)

    async def delete(self, preset_id: str) -> None:
        await self._exchange.delete(at("/v2/presets", preset_id))


class AsyncEvaluations:
    """Reports of `gptj eval`, and how a model answered each of their documents."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(self, report: Mapping[str, Any]) -> Record:
        """Store a report without its documents. A report with a known hash is not stored again."""
        return await self._exchange.send("POST", "/v2/evaluations", "id", Record, dict(report), idempotent=True)

    async def add_documents(self, evaluation_id: str, task: int, documents: Iterable[Mapping[str, Any]]) -> Record:
        """Store at most 500 documents and 1 MiB of the task with this index. Those that are stored stay as they are."""
        body = {"task": task, "documents": list(documents)}
        path = at("/v2/evaluations", evaluation_id, "documents")
        return await self._exchange.send("POST", path, "id", Record, body, idempotent=True)

    async def list(self, *, limit: int = 20, skip: int = 0, cursor: Optional[str] = None) -> Page[Record]:
        return await self._exchange.page("/v2/evaluations", Record, limit=limit, skip=skip, cursor=cursor)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All evaluations, page after page."""
        return self._exchange.items("/v2/evaluations", Record, limit=limit)

    async def get(self, evaluation_id: str) -> Record:
        return await self._exchange.get(at("/v2/evaluations", evaluation_id), "id", Record)

    async def documents(
        self,
        evaluation_id: str,
        *,
        task: int = 0,
        order_by: Optional[str] = None,
        is_right: Optional[bool] = None,
        by: Optional[str] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """order_by: "id:asc" or "margin:asc", or with "desc". by: "acc" or "acc_norm", the accuracy that is_right means."""
        return await self._exchange.page(
            at("/v2/evaluations", evaluation_id, "documents"),
            Record,
            task=task,
            order_by=order_by,
            is_right=is_right,
            by=by,
            limit=limit,
            skip=skip,
            cursor=cursor,
        )

    async def compare(self, evaluation_id: str, other: str) -> Record:
        """What the evaluation `other` changes, by task: scores with paired tests, flipped answers, divergence."""
        return await self._exchange.get(at("/v2/evaluations", evaluation_id, "comparison"), "tasks", Record, other=other)

    async def changes(
        self,
        evaluation_id: str,
        other: str,
        *,
        task: int = 0,
        change: Optional[str] = None,
        by: Optional[str] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """How the answers changed, flipped ones first, then those whose margin moved most. change: "flipped", "gained" or "lost"."""
        return await self._exchange.page(
            at("/v2/evaluations", evaluation_id, "comparison", "documents"),
            Record,
            other=other,
            task=task,
            change=change,
            by=by,
            limit=limit,
            skip=skip,
            cursor=cursor,
        )

    async def delete(self, evaluation_id: str) -> None:
        await self._exchange.delete(at("/v2/evaluations", evaluation_id))


class AsyncWebhooks:
    """Webhooks of a project, and the deliveries of their messages. `verify_webhook` checks a message."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(
        self,
        url: str,
        *,
        events: Optional[Iterable[str]] = None,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """`secret` of the reply is the key of the signatures, shown only here. Never retried.

        events: `run.completed` and `run.failed`, by default both.
        """
        body = {"url": url} if events is None else {"url": url, "events": list(events)}
        return await self._exchange.send("POST", "/v2/webhooks", "id", Record, body, confirmed(password, code))

    async def list(self, *, limit: int = 20, skip: int = 0, cursor: Optional[str] = None) -> Page[Record]:
        return await self._exchange.page("/v2/webhooks", Record, limit=limit, skip=skip, cursor=cursor)

    def iter(self, *, limit: int = 100) -> AsyncIterator[Record]:
        """All webhooks, page after page."""
        return self._exchange.items("/v2/webhooks", Record, limit=limit)

    async def get(self, webhook_id: str) -> Record:
        return await self._exchange.get(at("/v2/webhooks", webhook_id), "id", Record)

    async def change(
        self,
        webhook_id: str,
        *,
        url: str = _KEEP,
        events: Iterable[str] = _KEEP,
        is_enabled: bool = _KEEP,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Change the fields of the arguments."""
        body = given(url=url, events=events if events is _KEEP else list(events), is_enabled=is_enabled)
        headers = confirmed(password, code)
        return await self._exchange.send("PATCH", at("/v2/webhooks", webhook_id), "id", Record, body, headers)

    async def delete(self, webhook_id: str) -> None:
        await self._exchange.delete(at("/v2/webhooks", webhook_id))

    async def deliveries(
        self,
        webhook_id: str,
        *,
        state: Optional[str] = None,
        run: Union[Run, str, None] = None,
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """The log of its messages, or those in one state (`pending`, `delivered`, `failed`) and of one run."""
        run_id = run if isinstance(run, str) or run is None else run.id
        query = {"state": state, "run_id": run_id, "limit": limit, "skip": skip, "cursor": cursor}
        return await self._exchange.page(at("/v2/webhooks", webhook_id, "deliveries"), Record, **query)

    def iter_deliveries(
        self, webhook_id: str, *, state: Optional[str] = None, limit: int = 100
    ) -> AsyncIterator[Record]:
        """All of them, page after page."""
        return self._exchange.items(at("/v2/webhooks", webhook_id, "deliveries"), Record, state=state, limit=limit)

    async def replay(self, webhook_id: str, delivery_id: str) -> Record:
        """Send a delivery again, as a new one."""
        path = at("/v2/webhooks", webhook_id, "deliveries", delivery_id, "replay")
        return await self._exchange.send("POST", path, "id", Record)

    async def test(self, webhook_id: str) -> Record:
        """Send a message that belongs to no run, once."""
        return await self._exchange.send("POST", at("/v2/webhooks", webhook_id, "test"), "id", Record)

    async def rotate_secret(
        self,
        webhook_id: str,
        *,
        overlap_seconds: Optional[int] = None,
        password: Optional[str] = None,
        code: Optional[str] = None,
    ) -> Record:
        """Make another `secret`. For overlap_seconds, by default a day, messages have the signatures of both."""
        body = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
        path = at("/v2/webhooks", webhook_id, "rotate-secret")
        return await self._exchange.send("POST", path, "id", Record, body, confirmed(password, code))


class AsyncFiles:
    """Files of a project."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def upload(self, name: str, content: bytes) -> Record:
        """Never retried."""
        return await self._exchange.send("POST", "/v2/files", "id", Record, Upload("file", name, content.hex().encode()))

    async def get(self, file_id: str) -> Record:
        return await self._exchange.get(at("/v2/files", file_id), "id", Record)

    async def content(self, file_id: str) -> bytes:
        """The bytes of a file."""
        reply = await self._exchange.get(at("/v2/files", file_id), "data", Record, return_data=True)
        return bytes_of_hex(reply["data"])

    async def delete(self, file_id: str) -> None:
        """Delete a file. Raises Conflict for one that is data or the result of a run."""
        await self._exchange.delete(at("/v2/files", file_id))


class AsyncDataSets:
    """Inputs of runs: files with a date."""

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange

    async def create(self, name: str, content: bytes) -> Record:
        """content is a pickle of plain values; one that would run code is refused. Never retried."""
        return await self._exchange.send("POST", "/v2/data", "id", Record, Upload("data", name, content))

    async def get(self, data_id: str) -> Record:
        return await self._exchange.get(at("/v2/data", data_id), "id", Record)

    async def content(self, data_id: str) -> bytes:
        """The bytes of data."""
        reply = await self._exchange.get(at("/v2/data", data_id), "hex_file", Record, return_data=True)
        return bytes_of_hex(reply["hex_file"].get("data"))

    async def delete(self, data_id: str) -> None:
        """Delete data and their file. Raises Conflict for data that are the input of a run."""
        await self._exchange.delete(at("/v2/data", data_id))
