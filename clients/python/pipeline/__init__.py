"""Run pipelines on a gptj-cloud server.

    from pipeline import PipelineCloud

    api = PipelineCloud("API_TOKEN")
    run = api.run_pipeline(
        "pipeline_d7502b78863744c495d7d22f321cf7ff",
        ["I met a traveller from an antique land, who said", {"response_length": 64, "remove_input": False}],
    )
    print(run["result_preview"])
"""

from ._client import DEFAULT_URL, PipelineCloud
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
from ._records import Page, Record, Run
from ._stream import RunStream
from ._version import __version__

__all__ = [
    "DEFAULT_URL",
    "AuthenticationError",
    "Conflict",
    "ConnectionFailed",
    "Event",
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
    "UnexpectedReply",
    "WaitTimeout",
    "__version__",
]
