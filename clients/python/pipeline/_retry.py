"""Decides whether a request is retried, and after which delay."""

from __future__ import annotations

from typing import Optional

from ._errors import ConnectionFailed, RateLimited, ServerError

# Seconds. Delays are random between 0 and a limit that doubles from the first value to the maximum.
FIRST_DELAY = 0.5
MAX_DELAY = 8.0
#: Seconds. A request is not retried when Retry-After is longer than this: the caller receives the error.
MAX_RETRY_AFTER = 60.0


def retry_wait(error: Exception, count: int, draw: float) -> Optional[float]:
    """Seconds to wait before the next attempt after `count` earlier ones, or None for errors that are not retried.

    Only 429, 503 and a broken connection are transient. draw is uniform in [0, 1).
    """
    if isinstance(error, ConnectionFailed):
        # A redirect is a reply: the next attempt would be redirected as well.
        return None if error.status is not None else _backoff(count, draw)
    if not (isinstance(error, RateLimited) or (isinstance(error, ServerError) and error.status == 503)):
        return None
    if error.retry_after is None:
        return _backoff(count, draw)
    # Every client received the same Retry-After: up to a tenth more spreads them out.
    return None if error.retry_after > MAX_RETRY_AFTER else error.retry_after * (1 + draw / 10)


def _backoff(count: int, draw: float) -> float:
    return draw * float(min(MAX_DELAY, FIRST_DELAY * 2 ** min(count, 30)))
