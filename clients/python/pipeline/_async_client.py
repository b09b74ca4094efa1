"""The client: its options, its resources, and calls of a whole account."""

from __future__ import annotations

from typing import Any, AsyncIterator, Optional, Sequence, TypeVar

from ._async_account import AsyncMetrics, AsyncPlans, AsyncProjects, AsyncTokens, AsyncUsage, AsyncUsers
from ._async_exchange import AsyncExchange
from ._async_resources import AsyncDataSets, AsyncEvaluations, AsyncFiles, AsyncPipelines, AsyncPresets, AsyncTags, AsyncWebhooks
from ._async_runs import AsyncRunCalls
from ._async_server import AsyncAdmin, AsyncAuth, AsyncModels, AsyncServer
from ._async_stream import changes_of
from ._async_transport import AsyncTransport
from ._options import checked_retries, choose_token, choose_url
from ._records import Record

_C = TypeVar("_C", bound="AsyncPipelineCloud")


class AsyncPipelineCloud(AsyncRunCalls):
    """Client of a gptj-cloud server.

        async with AsyncPipelineCloud() as api:
            print(await api.generate("Once upon a time", max_new_tokens=40))

    token: an API token; default the environment variable PIPELINE_API_TOKEN.
    url: address of the server; default PIPELINE_API_URL, else http://127.0.0.1:8080.
    timeout: maximum time in seconds to connect and between two bytes of a reply; None for no limit. It does not limit
        the length of a run: the server sends a space every few seconds during a run.
    max_retries: maximum number of retries after 429, 503 or a broken connection. Delays grow from half a second to
        8 s, and follow Retry-After up to a minute. Runs carry an Idempotency-Key, so none is executed twice.

    The constructor sends nothing; authenticate() checks the token. A client keeps no connection open: it may be shared, and
    closing it ends nothing that runs.
    """

    def __init__(
        self,
        token: Optional[str] = None,
        *,
        url: Optional[str] = None,
        timeout: Optional[float] = 60.0,
        max_retries: int = 2,
    ) -> None:
        transport = AsyncTransport(choose_url(url), choose_token(token), timeout)
        self._exchange = AsyncExchange(transport, checked_retries(max_retries))
        self.tokens = AsyncTokens(self._exchange)
        self.users = AsyncUsers(self._exchange)
        self.projects = AsyncProjects(self._exchange)
        self.plans = AsyncPlans(self._exchange)
        self.usage = AsyncUsage(self._exchange)
        self.metrics = AsyncMetrics(self._exchange)
        self.pipelines = AsyncPipelines(self._exchange)
        self.tags = AsyncTags(self._exchange)
        self.presets = AsyncPresets(self._exchange)
        self.evaluations = AsyncEvaluations(self._exchange)
        self.webhooks = AsyncWebhooks(self._exchange)
        self.files = AsyncFiles(self._exchange)
        self.data = AsyncDataSets(self._exchange)
        self.server = AsyncServer(self._exchange)
        self.auth = AsyncAuth(self._exchange)
        self.admin = AsyncAdmin(self._exchange)
        self.models = AsyncModels(self._exchange)

    def __repr__(self) -> str:
        return f"AsyncPipelineCloud(url={self._exchange.transport.url!r})"

    async def __aenter__(self: _C) -> _C:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing to do: every request has a connection of its own. It exists for `with` and for programs that expect it."""

    async def authenticate(self) -> Record:
        """The account of the token. Raises AuthenticationError when the server refuses the token."""
        return await self.users.me()

    def changes(self) -> AsyncIterator[Record]:
        """The changes of the project's runs as they happen, until the caller leaves the loop.

        `type` is `run` (`run` is the summary of a run that was accepted, began or ended) or `resync`: changes may have been
        missed, so list the runs. The first one is `resync`. A connection that ends is replaced, after half a second at first
        and 30 s at most; only a refusal of the server is raised.
        """
        return changes_of(self._exchange)

    async def tokenize(
        self, text: str, *, split_special_tokens: bool = False, model: Optional[str] = None
    ) -> Record:
        """The token ids of a text, as the model reads it in a prompt: `tokens`, `texts` and `offsets`. It costs no tokens.

        model: name of a served model; default the one that requests without a name get.
        """
        body: dict[str, Any] = {"text": text, "split_special_tokens": split_special_tokens}
        if model is not None:
            body["model"] = model
        return await self._exchange.send("POST", "/v2/tokenize", "tokens", Record, body, idempotent=True)

    async def detokenize(
        self, tokens: Sequence[int], *, skip_special_tokens: bool = False, model: Optional[str] = None
    ) -> Record:
        """The text of token ids: `text`, and `texts` with that of each. It costs no tokens.

        model: name of a served model; default the one that requests without a name get.
        """
        body: dict[str, Any] = {"tokens": list(tokens), "skip_special_tokens": skip_special_tokens}
        if model is not None:
            body["model"] = model
        return await self._exchange.send("POST", "/v2/detokenize", "text", Record, body, idempotent=True)

    async def delete_file(self, file_id: str) -> None:
        """The same as `files.delete`."""
        await self.files.delete(file_id)

    async def delete_data(self, data_id: str) -> None:
        """The same as `data.delete`."""
        await self.data.delete(data_id)

    async def get_storage(self) -> Record:
        """The same as `usage.storage`."""
        return await self.usage.storage()

    async def get_limits(self) -> Record:
        """The same as `usage.limits`."""
        return await self.usage.limits()

    async def rotate_token(
        self, token_id: str, *, overlap_seconds: int = 0, password: Optional[str] = None, code: Optional[str] = None
    ) -> Record:
        """The same as `tokens.rotate`."""
        return await self.tokens.rotate(token_id, overlap_seconds=overlap_seconds, password=password, code=code)
