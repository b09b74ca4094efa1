"""Run pipelines on a gptj-cloud server.

    from pipeline import PipelineCloud

    api = PipelineCloud()  # reads PIPELINE_API_TOKEN and PIPELINE_API_URL
    print(api.generate("I met a traveller from an antique land, who said", max_new_tokens=64))

AsyncPipelineCloud has the same calls for asyncio.
"""

from ._async_client import AsyncPipelineCloud
from ._async_stream import AsyncRunStream, AsyncTextStream
from ._client import PipelineCloud
from ._errors import (
    AuthenticationError,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    PipelineError,
    QuotaExceeded,
    RateLimited,
    RunFailed,
    ServerError,
    StreamInterrupted,
    UnexpectedReply,
    WaitTimeout,
)
from ._events import Event
from ._options import DEFAULT_URL, GPTJ_PIPELINE_ID
from ._parameters import GenerateParameters
from ._records import Page, Record, Run
from ._stream import RunStream, TextStream
from ._version import __version__
from ._webhooks import WebhookMessage, WebhookVerificationError, verify_webhook

__all__ = [
    "DEFAULT_URL",
    "GPTJ_PIPELINE_ID",
    "AsyncPipelineCloud",
    "AsyncRunStream",
    "AsyncTextStream",
    "AuthenticationError",
    "Conflict",
    "ConnectionFailed",
    "Event",
    "GenerateParameters",
    "InvalidRequest",
    "NotFound",
    "Page",
    "PermissionDenied",
    "PipelineCloud",
    "PipelineError",
    "QuotaExceeded",
    "RateLimited",
    "Record",
    "Run",
    "RunFailed",
    "RunStream",
    "ServerError",
    "StreamInterrupted",
    "TextStream",
    "UnexpectedReply",
    "WaitTimeout",
    "WebhookMessage",
    "WebhookVerificationError",
    "__version__",
    "verify_webhook",
]
