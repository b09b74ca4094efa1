"""Options of the clients and their checks."""

from __future__ import annotations

import os
from typing import Optional

from ._errors import AuthenticationError

DEFAULT_URL = "http://127.0.0.1:8080"
#: The id of the pipeline of GPT-J, the same on every server.
GPTJ_PIPELINE_ID = "pipeline_d7502b78863744c495d7d22f321cf7ff"


def choose_token(token: Optional[str]) -> str:
    chosen = token or os.environ.get("PIPELINE_API_TOKEN")
    if not chosen:
        raise AuthenticationError("expected an API token: pass it as the first argument, or set PIPELINE_API_TOKEN")
    return chosen


def choose_url(url: Optional[str]) -> str:
    return url or os.environ.get("PIPELINE_API_URL") or DEFAULT_URL


def checked_retries(max_retries: int) -> int:
    if not isinstance(max_retries, int) or max_retries < 0:
        raise ValueError(f"expected max_retries to be an integer of at least 0, got {max_retries!r}")
    return max_retries
