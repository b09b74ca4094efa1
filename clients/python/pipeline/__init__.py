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
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    PipelineError,
    RateLimited,
    RunFailed,
    ServerError,
    UnexpectedReply,
)
from ._records import Page, Record, Run
from ._version import __version__

__all__ = [
    "DEFAULT_URL",
    "AuthenticationError",
    "ConnectionFailed",
    "InvalidRequest",
    "NotFound",
    "Page",
    "PipelineCloud",
    "PipelineError",
    "RateLimited",
    "Record",
    "Run",
    "RunFailed",
    "ServerError",
    "UnexpectedReply",
    "__version__",
]
