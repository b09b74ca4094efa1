"""The calls of a client that make runs and read them."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Dict,
    Iterable,
    Literal,
    Optional,
    Sequence,
    Tuple,
    Union,
    overload,
)

from ._async_exchange import AsyncExchange, at
from ._async_stream import AsyncRunStream, AsyncTextStream
from ._errors import PipelineError, WaitTimeout
from ._moments import Moment, moment_text
from ._options import GPTJ_PIPELINE_ID
from ._parameters import GenerateParameters
from ._records import Page, Record, Run
from ._results import load_result

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: A text, or its token ids.
Prompt = Union[str, Sequence[int]]
#: The prompt and its parameters.
RunInputs = Union[Tuple[Prompt, GenerateParameters], Sequence[Any]]


class AsyncRunCalls:
    """Base class of the client."""

    _exchange: AsyncExchange

    async def generate(
        self,
        prompt: Prompt,
        parameters: Optional[GenerateParameters] = None,
        *,
        pipeline_id: str = GPTJ_PIPELINE_ID,
        idempotency_key: Optional[str] = None,
        **more: Unpack[GenerateParameters],
    ) -> str:
        """Generate text and return it: that of the first returned sequence, without the prompt unless include_input is True.

        The parameters are a dict, keyword arguments, or both. Without any, 20 tokens are sampled. Raises RunFailed when the
        run fails, and InvalidRequest for parameters that the server refuses. run_pipeline returns all sequences and what the
        run cost.
        """
        inputs = [prompt, {**(parameters or {}), **more}]
        run = await self.run_pipeline(pipeline_id, inputs, idempotency_key=idempotency_key)
        return run.text

    def stream(
        self,
        prompt: Prompt,
        parameters: Optional[GenerateParameters] = None,
        *,
        pipeline_id: str = GPTJ_PIPELINE_ID,
        idempotency_key: Optional[str] = None,
        **more: Unpack[GenerateParameters],
    ) -> AsyncTextStream:
        """Generate text and read it in pieces, as it is generated. Closing the stream ends the run: use it in `with`.

        Raises, while it is read, RunFailed when the run fails, and StreamInterrupted when generation restarts after text was
        returned.
        """
        inputs = [prompt, {**(parameters or {}), **more}]
        return AsyncTextStream(self._stream(pipeline_id, inputs, False, idempotency_key))

    @overload
    async def run_pipeline(
        self,
        pipeline_id: str,
        data: RunInputs,
        *,
        stream: Literal[False] = False,
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Run: ...

    @overload
    async def run_pipeline(
        self,
        pipeline_id: str,
        data: RunInputs,
        *,
        stream: Literal[True],
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> AsyncRunStream: ...

    async def run_pipeline(
        self,
        pipeline_id: str,
        data: RunInputs,
        *,
        stream: bool = False,
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Union[Run, AsyncRunStream]:
        """Run a pipeline and wait for its end.

        pipeline_id: an id or a tag (`name:tag`). data: the pipeline's inputs as plain JSON data; for GPT-J a list
        of the prompt and a dict of parameters.
        stream: return a stream of events or texts instead. The server ends a run when its stream is closed.
        async_run: return the run as it was accepted; wait() returns it when it has ended. With stream: the run outlives
        its stream, and a dropped connection is resumed after the last event.
        idempotency_key: identifies this run; for a second request with the same key the server returns the existing
        run. Default: a new key.

        A failed run is returned like a complete one (run_state `failed`, result_preview None):
        `run.raise_for_state()` raises RunFailed for it. Raises another PipelineError when no run was made, and TypeError or
        ValueError when data has no JSON form.
        """
        if stream:
            return self._stream(pipeline_id, data, async_run, idempotency_key)
        body: Dict[str, Any] = {"pipeline_id": pipeline_id, "data": data}
        if async_run:
            body["async_run"] = True
        headers = _key_header(idempotency_key)
        return await self._exchange.send("POST", "/v2/runs", "run_state", Run, body, headers, idempotent=True)

    def follow_run(self, run: Union[Run, str]) -> AsyncRunStream:
        """The events of a run that was started with async_run, from the first one on.

        Of other runs, and some minutes after the end of a run, only the last event is available. Closing the stream does not
        end the run.
        """
        run_id = _run_id(run)
        path = at("/v2/runs", run_id, "events")
        return AsyncRunStream(self._exchange, "GET", path, None, {}, run_id=run_id, can_resume=True)

    async def check_run(self, pipeline_id: str, data: RunInputs) -> Record:
        """What a run would do, without running it; nothing is stored and nothing costs tokens.

        `prompt_tokens`, `max_generated_tokens`, `context_tokens`, `mode`, `warnings` and `cost_at_most`, which are None
        where the input is refused; `refusal` is the error that the run would get now, or None.
        """
        body = {"pipeline_id": pipeline_id, "data": data}
        return await self._exchange.send("POST", "/v2/runs/check", "warnings", Record, body, idempotent=True)

    async def get_run(self, run: Union[Run, str]) -> Run:
        """A run of the project. Raises NotFound."""
        return await self._exchange.get(at("/v2/runs", _run_id(run)), "run_state", Run)

    async def get_run_input(self, run: Union[Run, str]) -> Record:
        """What a run was started with: `prompt`, a text or its token ids, and `parameters`. Raises NotFound."""
        return await self._exchange.get(at("/v2/runs", _run_id(run), "input"), "prompt", Record)

    async def wait(self, run: Union[Run, str], *, timeout: Optional[float] = None, poll: float = 2.0) -> Run:
        """Wait until the run has ended, complete or failed. Raises WaitTimeout after timeout seconds; the run continues.

        poll: maximum number of seconds between two polls; the first ones are closer.
        """
        start = time.monotonic()
        interval = 0.1
        while True:
            seen = await self.get_run(run)
            if seen.has_ended:
                return seen
            left = float("inf") if timeout is None else timeout - (time.monotonic() - start)
            if timeout is not None and left <= 0:
                raise WaitTimeout(seen, timeout)
            await asyncio.sleep(min(interval, poll, left))
            interval *= 1.5

    async def cancel_run(self, run: Union[Run, str]) -> Run:
        """Cancel a waiting or running run and return it, as failed. A run that has ended is returned unchanged."""
        path = at("/v2/runs", _run_id(run), "cancel")
        return await self._exchange.send("POST", path, "run_state", Run, idempotent=True)

    async def delete_run(self, run: Union[Run, str]) -> None:
        """Delete a run and its result. Raises Conflict for a run that has not ended."""
        await self._exchange.delete(at("/v2/runs", _run_id(run)))

    async def get_runs(
        self,
        skip: int = 0,
        limit: int = 20,
        *,
        order_by: str = "created_at:desc",
        pipeline_id: Optional[str] = None,
        run_state: Optional[str] = None,
        cursor: Optional[str] = None,
    ) -> Page[Run]:
        """Runs of the project, newest first: after `skip` of them at most `limit` in `data`, and their number in `total`.

        Previews of more than 16 KiB are None in a list; get_run has them.

        pipeline_id and run_state select the runs of one pipeline and in one state. cursor, the next_cursor of an earlier
        page, continues after that page; iter_runs does so.
        """
        query = {"limit": limit, "skip": skip, "order_by": order_by, "cursor": cursor}
        query.update(pipeline_id=pipeline_id, run_state=run_state)
        return await self._exchange.page("/v2/runs", Run, **query)

    def iter_runs(
        self,
        *,
        limit: int = 100,
        order_by: str = "created_at:desc",
        pipeline_id: Optional[str] = None,
        run_state: Optional[str] = None,
    ) -> AsyncIterator[Run]:
        """All runs that get_runs would return, page after page. limit is the number of runs of one request."""
        query = {"order_by": order_by, "pipeline_id": pipeline_id, "run_state": run_state}
        return self._exchange.items("/v2/runs", Run, limit=limit, **query)

    async def get_run_summaries(
        self,
        *,
        text: Optional[str] = None,
        states: Optional[Iterable[str]] = None,
        pipeline_id: Optional[str] = None,
        token_id: Optional[str] = None,
        created_after: Optional[Moment] = None,
        created_before: Optional[Moment] = None,
        order_by: str = "created_at:desc",
        limit: int = 20,
        skip: int = 0,
        cursor: Optional[str] = None,
    ) -> Page[Record]:
        """Runs as a list shows them: the heads of prompt and output, without input and result.

        text: a part of either head, whatever its case, or of an id. token_id: `session` for runs of browser sessions.
        order_by: also compute_time_ms or computed_tokens, with :desc or :asc, for ended runs.
        """
        query = {
            "view": "summary",
            "q": text,
            "state": None if states is None else ",".join(states),
            "pipeline_id": pipeline_id,
            "token_id": token_id,
            "created_after": moment_text(created_after),
            "created_before": moment_text(created_before),
            "order_by": order_by,
        }
        return await self._exchange.page("/v2/runs", Record, limit=limit, skip=skip, cursor=cursor, **query)

    async def download_result(self, run: Union[Run, str]) -> Any:
        """The complete result of a run, or of a result file by its id, of any size.

        For GPT-J a list with the list of generated texts. Raises RunFailed for a failed run, PipelineError for a run
        without a result.
        """
        if isinstance(run, str):
            file_id = run
        else:
            run.raise_for_state()
            if run.result is None:
                raise PipelineError(f"run {run.id} has no result yet: it is {run.run_state}")
            file_id = run.result.id
        reply = await self._exchange.get(at("/v2/files", file_id), "data", Record, return_data=True)
        return load_result(reply["data"])

    def _stream(self, pipeline_id: str, data: Any, can_resume: bool, idempotency_key: Optional[str]) -> AsyncRunStream:
        body: Dict[str, Any] = {"pipeline_id": pipeline_id, "data": data, "stream": True}
        if can_resume:
            body["async_run"] = True
        headers = _key_header(idempotency_key)
        return AsyncRunStream(self._exchange, "POST", "/v2/runs", body, headers, run_id=None, can_resume=can_resume)


def _run_id(run: Union[Run, str]) -> str:
    run_id: Any = run if isinstance(run, str) else getattr(run, "id", None)
    if isinstance(run_id, str) and run_id:
        return run_id
    raise TypeError(f"expected a run or its id, got {run!r}")


def _key_header(idempotency_key: Optional[str]) -> Dict[str, str]:
    return {"Idempotency-Key": idempotency_key or f"python-{uuid.uuid4().hex}"}
