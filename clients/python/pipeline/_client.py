from __future__ import annotations

import os
import time
import uuid
from typing import Any, Dict, Iterator, Literal, Optional, Sequence, Union, overload
from urllib.parse import quote, urlencode

from ._errors import AuthenticationError, ConnectionFailed, NotFound, PipelineError, WaitTimeout
from ._records import Page, Record, Run, record_of
from ._results import load_result
from ._retry import with_retries
from ._stream import RunStream
from ._transport import Transport

DEFAULT_URL = "http://127.0.0.1:8080"


class PipelineCloud:
    """Client of a gptj-cloud server.

    token: an API token; default the environment variable PIPELINE_API_TOKEN.
    url: address of the server; default PIPELINE_API_URL, else http://127.0.0.1:8080.
    timeout: maximum time in seconds to connect and between two bytes of a reply; None for no limit. It does not limit
        the length of a run: the server sends a space every few seconds during a run.
    max_retries: maximum number of retries after 429, 503 or a broken connection. Delays grow from half a second to
        8 s, and follow Retry-After up to a minute. Runs carry an Idempotency-Key, so none is executed twice.

    The constructor sends nothing; authenticate() checks the token. A client may be shared between threads.
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
            raise AuthenticationError("expected an API token: pass it as the first argument, or set PIPELINE_API_TOKEN")
        if not isinstance(max_retries, int) or max_retries < 0:
            raise ValueError(f"expected max_retries to be an integer of at least 0, got {max_retries!r}")
        self._max_retries = max_retries
        self._transport = Transport(url or os.environ.get("PIPELINE_API_URL") or DEFAULT_URL, chosen, timeout)

    def __repr__(self) -> str:
        return f"PipelineCloud(url={self._transport.url!r})"

    def authenticate(self) -> Record:
        """The account of the token. Raises AuthenticationError when the server refuses the token."""
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
        stream: return a RunStream of events or texts instead. The server ends a run when its stream is closed.
        async_run: return the run as it was accepted; wait() returns it when it has ended. With stream: the run outlives
        its stream, and a dropped connection is resumed after the last event.
        idempotency_key: identifies this run; for a second request with the same key the server returns the existing
        run. Default: a new key.

        A failed run is returned like a complete one (run_state `failed`, result_preview None):
        `run_pipeline(...).raise_for_state()` raises RunFailed for it. Raises another PipelineError when no run was
        made, and TypeError or ValueError when data has no JSON form.
        """
        body: Dict[str, Any] = {"pipeline_id": pipeline_id, "data": data}
        if async_run:
            body["async_run"] = True
        headers = {"Idempotency-Key": idempotency_key or f"python-{uuid.uuid4().hex}"}
        if stream:
            body["stream"] = True
            return RunStream(self._transport, self._max_retries, body, headers, can_resume=async_run)
        return record_of(Run, self._exchange("POST", "/v2/runs", body, headers), "run_state")

    def check_run(self, pipeline_id: str, data: Any) -> Record:
        """What a run would do, without running it; nothing is stored and nothing costs tokens.

        `prompt_tokens`, `max_generated_tokens`, `context_tokens`, `mode`, `warnings` and `cost_at_most`, which are None
        where the input is refused; `refusal` is the error that the run would get now, or None.
        """
        body = {"pipeline_id": pipeline_id, "data": data}
        return record_of(Record, self._exchange("POST", "/v2/runs/check", body), "warnings")

    def get_run(self, run_id: str) -> Run:
        """A run of this account. Raises NotFound."""
        return record_of(Run, self._exchange("GET", _run_path(run_id)), "run_state")

    def get_run_input(self, run_id: str) -> Record:
        """What a run was started with: `prompt`, a text or its token ids, and `parameters`. Raises NotFound."""
        return record_of(Record, self._exchange("GET", f"{_run_path(run_id)}/input"), "prompt")

    def wait(self, run: Union[Run, str], *, timeout: Optional[float] = None, poll: float = 2.0) -> Run:
        """Wait until the run has ended, complete or failed. Raises WaitTimeout after timeout seconds; the run continues.

        poll: maximum number of seconds between two polls; the first ones are closer.
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
        """Cancel a waiting or running run and return it, as failed. A run that has ended is returned unchanged."""
        run_id = run if isinstance(run, str) else run.id
        return record_of(Run, self._exchange("POST", f"{_run_path(run_id)}/cancel"), "run_state")

    def delete_run(self, run: Union[Run, str]) -> None:
        """Delete a run and its result. Raises Conflict for a run that has not ended."""
        self._delete(_run_path(run if isinstance(run, str) else run.id))

    def delete_file(self, file_id: str) -> None:
        """Delete a file. Raises Conflict for one that is data or the result of a run."""
        self._delete(f"/v2/files/{quote(file_id, safe='')}")

    def delete_data(self, data_id: str) -> None:
        """Delete data and their file. Raises Conflict for data that are the input of a run."""
        self._delete(f"/v2/data/{quote(data_id, safe='')}")

    def get_storage(self) -> Record:
        """What the account of the project stores: `bytes` and `items`, each with `used` and `limit`, and `plan_id`."""
        return record_of(Record, self._exchange("GET", "/v2/storage"), "bytes")

    def get_limits(self) -> Record:
        """What the account of the project has used of the limits of its plan.

        `day` and `month` have `used`, `limit`, `reserved` and `resets_at`; `running`, `requests`, `stored_bytes` and
        `stored_items` have `used` and `limit`. A limit of None is none.
        """
        return record_of(Record, self._exchange("GET", "/v2/limits"), "day")

    def rotate_token(
        self, token_id: str, *, overlap_seconds: int = 0, password: Optional[str] = None, code: Optional[str] = None
    ) -> Record:
        """Give an API token another value, which only this reply contains: `value`.

        The present value is accepted for overlap_seconds more. Needs the scope `admin`, and the password of the user (and
        the two-factor code where that is on). Never retried. This client keeps the token that it was made with.
        """
        headers: Dict[str, str] = {}
        if password is not None:
            headers["X-Confirm-Password"] = quote(password, safe="")
        if code is not None:
            headers["X-Confirm-Code"] = code
        path = f"/v2/tokens/{quote(token_id, safe='')}/rotate"
        body = {"overlap_seconds": overlap_seconds}
        return record_of(Record, self._transport.exchange("POST", path, body, headers=headers), "value")

    def tokenize(self, text: str, *, split_special_tokens: bool = False) -> Record:
        """The token ids of a text, as the model reads it in a prompt: `tokens`, `texts` and `offsets`. It costs no tokens."""
        body = {"text": text, "split_special_tokens": split_special_tokens}
        return record_of(Record, self._exchange("POST", "/v2/tokenize", body), "tokens")

    def detokenize(self, tokens: Sequence[int], *, skip_special_tokens: bool = False) -> Record:
        """The text of token ids: `text`, and `texts` with that of each. It costs no tokens."""
        body = {"tokens": list(tokens), "skip_special_tokens": skip_special_tokens}
        return record_of(Record, self._exchange("POST", "/v2/detokenize", body), "text")

    def _delete(self, path: str) -> None:
        was_lost = False

        def attempt() -> None:
            nonlocal was_lost
            try:
                self._transport.exchange("DELETE", path)
            except ConnectionFailed:
                was_lost = True
                raise
            except NotFound:
                # After a lost reply, 404 means that the lost request has deleted the run.
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
        cursor: Optional[str] = None,
    ) -> Page:
        """Runs of this account, newest first: after `skip` of them at most `limit` in `data`, and their number in `total`.

        Previews of more than 16 KiB are None in a list; get_run has them.

        pipeline_id and run_state select the runs of one pipeline and in one state. cursor, the next_cursor of an earlier
        page, continues after that page; iter_runs does so.
        """
        query: Dict[str, Any] = {"limit": limit, "skip": skip, "order_by": order_by}
        if cursor is not None:
            query["cursor"] = cursor
        if pipeline_id is not None:
            query["pipeline_id"] = pipeline_id
        if run_state is not None:
            query["run_state"] = run_state
        page = record_of(Page, self._exchange("GET", f"/v2/runs?{urlencode(query)}"), "data")
        entries = page["data"] if isinstance(page["data"], list) else []
        page["data"] = [record_of(Run, entry, "run_state") for entry in entries]
        return page

    def iter_runs(
        self,
        *,
        limit: int = 100,
        order_by: str = "created_at:desc",
        pipeline_id: Optional[str] = None,
        run_state: Optional[str] = None,
    ) -> Iterator[Run]:
        """All runs that get_runs would return, page after page. limit is the number of runs of one request."""
        cursor: Optional[str] = None
        while True:
            page = self.get_runs(
                limit=limit, order_by=order_by, pipeline_id=pipeline_id, run_state=run_state, cursor=cursor
            )
            yield from page["data"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def download_result(self, run: Union[Run, str]) -> Any:
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
        path = f"/v2/files/{quote(file_id, safe='')}?return_data=true"
        return load_result(record_of(Record, self._exchange("GET", path), "data")["data"])

    def _exchange(self, method: str, path: str, body: Any = None, headers: Optional[Dict[str, str]] = None) -> Any:
        return with_retries(
            self._max_retries, lambda: self._transport.exchange(method, path, body, headers=headers)
        )


def _run_path(run_id: str) -> str:
    return f"/v2/runs/{quote(run_id, safe='')}"
