"""When a request is sent again, and how long to wait before."""

from __future__ import annotations

import random
import time
from typing import Callable, Optional, TypeVar

from ._errors import ConnectionFailed, RateLimited, ServerError

_T = TypeVar("_T")

# Seconds. Waits double from the first on, up to the longest; each is drawn between nothing and that much.
FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
#: A server that asks for a longer pause than this gets no repetition: its error is the caller's to act on.
LONGEST_RETRY_AFTER = 60.0


def with_retries(max_retries: int, attempt: Callable[[], _T]) -> _T:
    """The value of attempt(), tried again after failures that pass by themselves."""
    count = 0
    while True:
        try:
            return attempt()
        except (ConnectionFailed, RateLimited, ServerError) as error:
            wait = retry_wait(error, count, random.random()) if count < max_retries else None
            if wait is None:
                raise
            time.sleep(wait)
            count += 1


def retry_wait(error: Exception, count: int, draw: float) -> Optional[float]:
    """Seconds to wait after the failure of attempt number count (from 0), or None for failures that stay.

    Only 429, 503 and a broken connection go away by themselves. draw is uniform in [0, 1).
    """
    if isinstance(error, ConnectionFailed):
        # A redirect is an answer, and will be the same again.
        return None if error.status is not None else _backoff(count, draw)
    if not (isinstance(error, RateLimited) or (isinstance(error, ServerError) and error.status == 503)):
        return None
    if error.retry_after is None:
        return _backoff(count, draw)
    # Everybody was told the same moment: come at it or up to a tenth later.
    return None if error.retry_after > LONGEST_RETRY_AFTER else error.retry_after * (1 + draw / 10)


def _backoff(count: int, draw: float) -> float:
    return draw * min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(count, 30))
