"""What the two transports share: addresses, headers, bodies, and the reading of replies."""

from __future__ import annotations

import ipaddress
import json
import uuid
from typing import Any, Dict, Mapping, NamedTuple, Optional, Union
from urllib.parse import urlencode, urlsplit

from ._errors import ConnectionFailed, PipelineError, UnexpectedReply, error_from_reply
from ._records import Record
from ._version import __version__


class Upload(NamedTuple):
    """A body of one file, sent as a form."""

    field: str
    name: str
    content: bytes


Body = Union[None, Upload, Mapping[str, Any]]


def encoded_body(body: Any) -> "tuple[Optional[bytes], Dict[str, str]]":
    """The bytes of a body and the headers that describe it. Raises TypeError or ValueError for data without a JSON form."""
    if body is None:
        return None, {}
    if isinstance(body, Upload):
        boundary = uuid.uuid4().hex
        # A quote or a line break in the name would end the header.
        name = body.name.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{body.field}"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        content = head.encode() + body.content + f"\r\n--{boundary}--\r\n".encode()
        return content, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    # Strict JSON: NaN and infinity raise ValueError here, before anything is sent.
    return json.dumps(body, allow_nan=False).encode(), {"Content-Type": "application/json"}


def request_headers(token: str, accept: str, headers: Optional[Mapping[str, str]]) -> Dict[str, str]:
    return {
        "Accept": accept,
        **(headers or {}),
        "Authorization": f"Bearer {token}",
        "User-Agent": f"gptj-cloud-python/{__version__}",
    }


def path_of(path: str, query: Mapping[str, Any]) -> str:
    """path with the values of query that are not None; True and False as JSON writes them."""
    given = {name: value for name, value in query.items() if value is not None}
    if not given:
        return path
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    return f"{path}?{urlencode(texts)}"


def json_of(url: str, status: int, raw: bytes) -> Any:
    """The JSON of a reply, objects as Record; None for an empty one. Raises UnexpectedReply for other text."""
    text = raw.decode("utf-8", errors="replace")
    if not text.strip():
        return None
    try:
        # During a run the server sends spaces, which may precede JSON.
        return json.loads(text, object_hook=Record)
    except (ValueError, RecursionError):
        raise UnexpectedReply(f"{url} replied with {status} and no JSON", status=status) from None


def refusal_of(url: str, status: int, reason: str, headers: Mapping[str, str], raw: bytes) -> PipelineError:
    """The error for a reply outside 2xx. Names of headers are in lower case."""
    if 300 <= status < 400:
        target = headers.get("location", "nowhere")
        return ConnectionFailed(
            f"{url} redirects to {target}; redirects are refused because of the token: pass that address as url",
            status=status,
        )
    text = raw.decode("utf-8", errors="replace")
    try:
        parsed = json.loads(text, object_hook=Record)
    except (ValueError, RecursionError):
        parsed = None
    return error_from_reply(status, reason, headers, parsed, text)


def lost_connection(url: str, timeout: Optional[float], cause: object) -> ConnectionFailed:
    """The error for a request without a complete reply. Raise it `from None`: its message names the cause."""
    if isinstance(cause, TimeoutError) or "timed out" in str(cause) or type(cause).__name__ == "TimeoutError":
        return ConnectionFailed(f"{url} was silent for {timeout} s; increase timeout, or check its log")
    if isinstance(cause, ConnectionRefusedError):
        return ConnectionFailed(f"found no server at {url}; start it, or set url or PIPELINE_API_URL")
    return ConnectionFailed(f"lost the connection to {url}: {cause or type(cause).__name__}")


def checked_timeout(timeout: Optional[float]) -> Optional[float]:
    if timeout is not None and not timeout > 0:
        raise ValueError(f"expected timeout to be seconds above 0, or None for no limit; got {timeout!r}")
    return timeout


def checked_url(url: str) -> str:
    wrong = f"expected an http:// or https:// address as url, got {url!r} (the token is the first argument)"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(wrong) from None
    if not usable:
        raise ValueError(wrong)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("expected url without user name, query or fragment")
    return url.rstrip("/")


def checked_token(token: str) -> str:
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("expected the token to be printable ASCII without spaces; check it for a line break")
    return token


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
