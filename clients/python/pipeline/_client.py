from __future__ import annotations

import os
from typing import Any, Optional, Union
from urllib.parse import quote, urlencode

from ._errors import AuthenticationError, PipelineError
from ._records import Page, Record, Run, record_of
from ._results import load_result
from ._transport import Transport

DEFAULT_URL = "http://127.0.0.1:8080"


class PipelineCloud:
    """A gptj-cloud server.

    token: an API token; default the environment's PIPELINE_API_TOKEN.
    url: where the server is; default PIPELINE_API_URL, else http://127.0.0.1:8080.
    timeout: longest silence in seconds, while connecting or between two bytes of a reply; None waits for ever.
        It does not limit how long a run may take: the server sends a blank now and then while it works.

    Constructing sends nothing; authenticate() asks the server whether the token is good. No request is ever
    repeated by itself. Safe to share between threads.
    """

    def __init__(
        self, token: Optional[str] = None, *, url: Optional[str] = None, timeout: Optional[float] = 60.0
    ) -> None:
        chosen = token or os.environ.get("PIPELINE_API_TOKEN")
        if not chosen:
            raise AuthenticationError("no API token: give it as first argument, or set PIPELINE_API_TOKEN")
        self._transport = Transport(url or os.environ.get("PIPELINE_API_URL") or DEFAULT_URL, chosen, timeout)

    def __repr__(self) -> str:
        return f"PipelineCloud(url={self._transport.url!r})"

    def authenticate(self) -> Record:
        """The account the token belongs to. Raises AuthenticationError when the server does not take the token."""
        reply = self._transport.exchange("GET", "/v2/users/me")
        return reply if isinstance(reply, Record) else Record()

    def run_pipeline(self, pipeline_id: str, data: Any) -> Run:
        """Run a pipeline and wait for its end.

        pipeline_id: an id or a tag (`name:tag`). data: the pipeline's inputs as plain JSON data; for GPT-J a list
        of the prompt and a dict of parameters.

        A run that fails is returned like any other (run_state `failed`, result_preview None): use
        `run_pipeline(...).raise_for_state()` to have it raise RunFailed. Raises another PipelineError when there
        is no run at all, and TypeError or ValueError when data has no JSON form.
        """
        reply = self._transport.exchange("POST", "/v2/runs", {"pipeline_id": pipeline_id, "data": data})
        return record_of(Run, reply, "run_state")

    def get_run(self, run_id: str) -> Run:
        """A run of this account. Raises NotFound."""
        return record_of(Run, self._transport.exchange("GET", f"/v2/runs/{quote(run_id, safe='')}"), "run_state")

    def get_runs(self, skip: int = 0, limit: int = 20) -> Page:
        """Runs of this account, newest first: `total` in all, `limit` of them in `data` after leaving out `skip`."""
        query = urlencode({"limit": limit, "skip": skip, "order_by": "created_at:desc"})
        page = record_of(Page, self._transport.exchange("GET", f"/v2/runs?{query}"), "data")
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
        return load_result(record_of(Record, self._transport.exchange("GET", path), "data")["data"])
