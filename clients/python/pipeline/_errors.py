"""The errors: one class per situation that a caller can handle. All derive from PipelineError."""

from __future__ import annotations

import time
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Tuple

if TYPE_CHECKING:
    from ._records import Run

# Maximum number of characters quoted from a reply that is not JSON, such as a proxy's HTML page.
_QUOTE_LENGTH = 200


class PipelineError(Exception):
    """Base class of every error of this package.

    status is the HTTP status of the reply, None without a reply; code is the server's error code (`token_unknown`,
    `too_many_runs`, …) and request_id the id in its log, both None when the reply does not state them; detail is the
    unchanged `detail` of the reply.
    """

    def __init__(
        self,
        message: str,
        *,
        status: Optional[int] = None,
        request_id: Optional[str] = None,
        detail: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code: Optional[str] = _text(detail, "code")
        self.request_id: Optional[str] = _text(detail, "request_id") or request_id
        self.detail = detail


class AuthenticationError(PipelineError):
    """No token, or one that the server refuses (401)."""


class PermissionDenied(PipelineError):
    """The token may not do this (403): a scope is missing, or the plan does not allow it (code `plan_required`)."""


class QuotaExceeded(PipelineError):
    """The run would exceed the plan's tokens of the day or month (402). detail holds `limit`, `used`, `resets_at`, …"""

    def __init__(self, message: str, *, retry_after: Optional[float] = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


class Conflict(PipelineError):
    """The request conflicts with the present state (409): a run that has not ended, an idempotency key of another run."""


class InvalidRequest(PipelineError):
    """The request is invalid (400, 422). `parameters` names the invalid parameters that the reply states."""

    def __init__(self, message: str, *, parameters: Tuple[str, ...] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.parameters = parameters


class NotFound(PipelineError):
    """There is no pipeline, run or file with that id or name (404)."""


class RateLimited(PipelineError):
    """Too many requests, or a full queue (429). `retry_after` is the delay in seconds, None when the reply has none."""

    def __init__(self, message: str, *, retry_after: Optional[float] = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


class ServerError(PipelineError):
    """The server failed (5xx). The same request may work later; `retry_after` as in RateLimited."""

    def __init__(self, message: str, *, retry_after: Optional[float] = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.retry_after = retry_after


class ConnectionFailed(PipelineError):
    """No complete reply: the server is unreachable, silent for longer than `timeout`, closed the connection, or redirected.

    A run that was sent may have been executed: check get_runs() before you send it again, or send it with the same
    idempotency_key.
    """


class UnexpectedReply(PipelineError):
    """A reply that is not of this API. Usually url is the address of another server."""


class StreamInterrupted(PipelineError):
    """A stream ended before its run; the run may go on. run_id is None when the stream ended before its first run event.

    code gives the reason: `reader_too_slow` and `stream_ended` come from the server, `generation_restarted` means that
    the text returned so far is void.
    """

    def __init__(self, message: str, *, code: str, run_id: Optional[str]) -> None:
        super().__init__(message, detail={"code": code})
        self.run_id = run_id


class WaitTimeout(PipelineError):
    """wait() took longer than its timeout. The run continues; `run` is its last known state."""

    def __init__(self, run: "Run", seconds: float) -> None:
        super().__init__(f"run {run.get('id')} is {run.get('run_state')} after {seconds} s; wait again, or cancel it")
        self.run = run


class RunFailed(PipelineError):
    """The run has failed. Raised by Run.raise_for_state(), download_result() and texts().

    error is the kind of failure (`pipeline_fault`, `max_retries`, `unsatisfiable`), exception its message.
    """

    def __init__(self, run: "Run") -> None:
        info: Mapping[str, Any] = run.error_info or {}
        self.run = run
        self.error: Optional[str] = run.error
        self.exception: str = info.get("exception") or ""
        kind = self.error or "no reason stated"
        super().__init__(f"run {run.get('id')} failed ({kind}): {self.exception}".rstrip(": "), detail=info)


def error_from_reply(status: int, reason: str, headers: Mapping[str, str], body: Any, text: str) -> PipelineError:
    """The error for a reply outside 2xx. body is the parsed JSON, or None when the reply was not JSON."""
    detail = body.get("detail") if isinstance(body, dict) else None
    message = _message(status, reason, detail, text if body is None else "")
    rest: dict[str, Any] = {"status": status, "request_id": headers.get("x-request-id"), "detail": detail}
    if status == 401:
        return AuthenticationError(message, **rest)
    if status == 402:
        return QuotaExceeded(message, retry_after=_retry_after(headers, detail), **rest)
    if status == 403:
        return PermissionDenied(message, **rest)
    if status in (400, 422):
        return InvalidRequest(message, parameters=_parameters(detail), **rest)
    if status == 404:
        return NotFound(message, **rest)
    if status == 409:
        return Conflict(message, **rest)
    if status == 429:
        return RateLimited(message, retry_after=_retry_after(headers, detail), **rest)
    if status >= 500:
        return ServerError(message, retry_after=_retry_after(headers, detail), **rest)
    return PipelineError(message, **rest)


def _message(status: int, reason: str, detail: Any, text: str) -> str:
    summary = _summary(detail) or " ".join(text.split())[:_QUOTE_LENGTH] or reason
    remedy = _text(detail, "remedy")
    return f"{status}: {summary}" + (f" ({remedy})" if remedy else "")


def _text(detail: Any, key: str) -> Optional[str]:
    value = detail.get(key) if isinstance(detail, dict) else None
    return value if isinstance(value, str) else None


def _summary(detail: Any) -> str:
    if isinstance(detail, str):
        return detail
    if isinstance(detail, dict):
        parts = [str(detail["message"])] if detail.get("message") else []
        # An error that the message contains already is not repeated.
        for name, text in _field_errors(detail.get("errors")):
            if not (parts and text in parts[0]):
                parts.append(f"{name}: {text}" if name else text)
        single = _text(detail, "parameter")
        if single and not any(single in part for part in parts):
            parts.append(f"parameter {single}")
        return "; ".join(parts)
    return "; ".join(f"{name}: {text}" if name else text for name, text in _field_errors(detail))


def _parameters(detail: Any) -> Tuple[str, ...]:
    if isinstance(detail, dict):
        several = detail.get("parameters")
        named = [_text(detail, "parameter") or "", *(several if isinstance(several, list) else [])]
        named += [name for name, _ in _field_errors(detail.get("errors"))]
    else:
        named = [name for name, _ in _field_errors(detail)]
    return tuple(dict.fromkeys(str(name) for name in named if name))


def _field_errors(errors: Any) -> List[Tuple[str, str]]:
    """(parameter, text) of `[{"parameter", "error"}]`, or of the `[{"loc", "msg"}]` that FastAPI writes."""
    found: List[Tuple[str, str]] = []
    for entry in errors if isinstance(errors, list) else []:
        if isinstance(entry, dict):
            where = entry.get("parameter", entry.get("loc", ""))
            name = "->".join(map(str, where)) if isinstance(where, list) else str(where)
            found.append((name, str(entry.get("error", entry.get("msg", "")))))
        else:
            found.append(("", str(entry)))
    return found


def _retry_after(headers: Mapping[str, str], detail: Any) -> Optional[float]:
    """Seconds from now. retry_after_ms of the reply is exact; the header holds whole seconds or a date."""
    exact = detail.get("retry_after_ms") if isinstance(detail, dict) else None
    if isinstance(exact, (int, float)) and exact >= 0:
        return exact / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    date = parsedate_tz(value)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())
