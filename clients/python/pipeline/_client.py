from __future__ import annotations

import os
import time
import uuid
from typing import Any, Dict, Literal, Optional, Union, overload
from urllib.parse import quote, urlencode

from ._errors import AuthenticationError, ConnectionFailed, NotFound, PipelineError, WaitTimeout
from ._records import Page, Record, Run, record_of
from ._results import load_result
from ._retry import with_retries
from ._stream import RunStream
from ._transport import Transport

DEFAULT_URL = "http://127.0.0.1:8080"


class PipelineCloud:
    """A gptj-cloud server.

    token: an API token; default the environment's PIPELINE_API_TOKEN.
    url: where the server is; default PIPELINE_API_URL, else http://127.0.0.1:8080.
    timeout: longest silence in seconds, while connecting or between two bytes of a reply; None waits for ever.
        It does not limit how long a run may take: the server sends a blank now and then while it works.
    max_retries: how often a request is sent again after 429, 503 or a broken connection. Waits grow from half a
        second to 8 s, and follow Retry-After up to a minute. Runs carry an Idempotency-Key, so none is done twice.

    Constructing sends nothing; authenticate() asks the server whether the token is good. Safe to share between threads.
    """

    def __init__(
        self,
        token: Optional[str] = None,
        *,
        url: Optional[str] = None,
        timeout: Optional[float] = 60.0,
        max_retries: int = 2,
    ) -> None:
        chosen = token or os.environ.get("PIPELINE_API_TOKEN")
        if not chosen:
            raise AuthenticationError("no API token: give it as first argument, or set PIPELINE_API_TOKEN")
        if not isinstance(max_retries, int) or max_retries < 0:
            raise ValueError(f"expected max_retries to be a count from 0, got {max_retries!r}")
        self._max_retries = max_retries
        self._transport = Transport(url or os.environ.get("PIPELINE_API_URL") or DEFAULT_URL, chosen, timeout)

    def __repr__(self) -> str:
        return f"PipelineCloud(url={self._transport.url!r})"

    def authenticate(self) -> Record:
        """The account the token belongs to. Raises AuthenticationError when the server does not take the token."""
        reply = self._exchange("GET", "/v2/users/me")
        return reply if isinstance(reply, Record) else Record()

    @overload
    def run_pipeline(
        self,
        pipeline_id: str,
        data: Any,
        *,
        stream: Literal[False] = False,
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Run: ...

    @overload
    def run_pipeline(
        self,
        pipeline_id: str,
        data: Any,
        *,
        stream: Literal[True],
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> RunStream: ...

    def run_pipeline(
        self,
        pipeline_id: str,
        data: Any,
        *,
        stream: bool = False,
        async_run: bool = False,
        idempotency_key: Optional[str] = None,
    ) -> Union[Run, RunStream]:
        """Run a pipeline and wait for its end.

        pipeline_id: an id or a tag (`name:tag`). data: the pipeline's inputs as plain JSON data; for GPT-J a list
        of the prompt and a dict of parameters.
        stream: give a RunStream of events or texts instead. The server ends a run whose stream has gone.
        async_run: give the run as it was accepted; wait() gives its end. With stream: the run outlives its stream, and
        a dropped connection is taken up where it broke.
        idempotency_key: names this run, so that asking again gives the run that is there. Default: a fresh one.

        A run that fails is returned like any other (run_state `failed`, result_preview None): use
        `run_pipeline(...).raise_for_state()` to have it raise RunFailed. Raises another PipelineError when there
        is no run at all, and TypeError or ValueError when data has no JSON form.
        """
        body: Dict[str, Any] = {"pipeline_id": pipeline_id, "data": data}
        if async_run:
            body["async_run"] = True
        headers = {"Idempotency-Key": idempotency_key or f"python-{uuid.uuid4().hex}"}
        if stream:
            body["stream"] = True
            return RunStream(self._transport, self._max_retries, body, headers, can_resume=async_run)
        return record_of(Run, self._exchange("POST", "/v2/runs", body, headers), "run_state")

    def get_run(self, run_id: str) -> Run:
        """A run of this account. Raises NotFound."""
        return record_of(Run, self._exchange("GET", _run_path(run_id)), "run_state")

    def wait(self, run: Union[Run, str], *, timeout: Optional[float] = None, poll: float = 2.0) -> Run:
        """The run when it has ended, complete or failed. Raises WaitTimeout after timeout seconds; the run goes on.

        poll: seconds between two looks, at most: they begin closer.
        """
        run_id = run if isinstance(run, str) else run.id
        start = time.monotonic()
        interval = 0.1
        while True:
            seen = self.get_run(run_id)
            if seen.has_ended:
                return seen
            left = float("inf") if timeout is None else timeout - (time.monotonic() - start)
            if timeout is not None and left <= 0:
                raise WaitTimeout(seen, timeout)
            time.sleep(min(interval, poll, left))
            interval *= 1.5

    def cancel_run(self, run: Union[Run, str]) -> Run:
        """End a run as failed, wherever it is, and return it. One that has ended stays as it is."""
        run_id = run if isinstance(run, str) else run.id
        return record_of(Run, self._exchange("POST", f"{_run_path(run_id)}/cancel"), "run_state")

    def delete_run(self, run: Union[Run, str]) -> None:
        """Remove a run and its result. Raises Conflict for one that has not ended."""
        path = _run_path(run if isinstance(run, str) else run.id)
        was_lost = False

        def attempt() -> None:
            nonlocal was_lost
            try:
                self._transport.exchange("DELETE", path)
            except ConnectionFailed:
                was_lost = True
                raise
            except NotFound:
                # Gone already, after a reply was lost, is what was asked for.
                if not was_lost:
                    raise

        with_retries(self._max_retries, attempt)

    def get_runs(
        self,
        skip: int = 0,
        limit: int = 20,
        *,
        order_by: str = "created_at:desc",
        pipeline_id: Optional[str] = None,
        run_state: Optional[str] = None,
    ) -> Page:
        """Runs of this account, newest first: `total` in all, `limit` of them in `data` after leaving out `skip`.

        pipeline_id and run_state leave out those of other pipelines and in other states.
        """
        query: Dict[str, Any] = {"limit": limit, "skip": skip, "order_by": order_by}
        if pipeline_id is not None:
            query["pipeline_id"] = pipeline_id
        if run_state is not None:
            query["run_state"] = run_state
        page = record_of(Page, self._exchange("GET", f"/v2/runs?{urlencode(query)}"), "data")
        entries = page["data"] if isinstance(page["data"], list) else []
        page["data"] = [record_of(Run, entry, "run_state") for entry in entries]
        return page

    def download_result(self, run: Union[Run, str]) -> Any:
        """The whole result of a run (or of the id of a result file), however large.

        For GPT-J a list holding the list of generated texts. Raises RunFailed for a run that failed, PipelineError
        for one without a result.
        """
        if isinstance(run, str):
            file_id = run
        else:
            run.raise_for_state()
            if run.result is None:
                raise PipelineError(f"run {run.id} has no result yet: it is {run.run_state}")
            file_id = run.result.id
        path = f"/v2/files/{quote(file_id, safe='')}?return_data=true"
        return load_result(record_of(Record, self._exchange("GET", path), "data")["data"])

    def _exchange(self, method: str, path: str, body: Any = None, headers: Optional[Dict[str, str]] = None) -> Any:
        return with_retries(
            self._max_retries, lambda: self._transport.exchange(method, path, body, headers=headers)
        )


def _run_path(run_id: str) -> str:
    return f"/v2/runs/{quote(run_id, safe='')}"
