"""Messages of webhooks, which follow Standard Webhooks (standardwebhooks.com), and the proof of their sender."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any, List, Mapping, Optional, Sequence, Union

from ._records import Record, Run

_PREFIX = "whsec_"
_MAX_SIGNATURES = 16


class WebhookVerificationError(Exception):
    """A message that is not from the server that has the secret, or that is too old. Answer it with status 400.

    code: `headers_invalid`, `time_out_of_tolerance` (it was sent again, or a clock is wrong), `signature_wrong` (another
    secret, a changed message, or a body that was parsed and written again), or `body_invalid`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WebhookMessage(Record):
    """A verified message. The id is the same for every attempt to deliver it: ignore an id that was dealt with."""

    __slots__ = ()
    _optional = frozenset(("run",))

    id: str
    #: `run.completed`, `run.failed` or `webhook.test`.
    type: str
    created_at: Any
    #: What the event is about: of a run its `Run`.
    data: Record
    #: The run; None for a test.
    run: Optional[Run]


def verify_webhook(
    body: Union[bytes, str],
    headers: Mapping[str, str],
    secret: Union[str, Sequence[str]],
    *,
    tolerance: float = 300.0,
    now: Optional[float] = None,
) -> WebhookMessage:
    """Verify that a message of a webhook is from the server and is recent, and return it.

    body: the body of the request as it arrived, not an object made of it. headers: those of the request, in any case.
    secret: the `whsec_…` secret of the webhook; during a change of secrets both. tolerance: maximum difference between the
    time of the message and this clock, in seconds. now: the time of this clock, as time.time() gives it.

    Raises WebhookVerificationError for a message to refuse, and ValueError for a secret that is none. Signatures are
    compared in constant time.
    """
    keys = [_key_of(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise ValueError("expected at least one secret")
    raw = body.encode() if isinstance(body, str) else bytes(body)
    found = {name.lower(): value for name, value in headers.items()}
    message_id, moment, signatures = (
        _header(found, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not (moment.isascii() and moment.isdigit() and len(moment) <= 12):
        raise WebhookVerificationError("headers_invalid", "expected webhook-timestamp to be seconds since 1970")
    age = (time.time() if now is None else now) - int(moment)
    if not abs(age) <= tolerance:
        raise WebhookVerificationError(
            "time_out_of_tolerance",
            f"the message is {age:.0f} s old, expected at most {tolerance:.0f} s: it was sent again, or a clock is wrong",
        )
    signed = f"{message_id}.{moment}.".encode() + raw
    expected = [hmac.new(key, signed, hashlib.sha256).digest() for key in keys]
    # Every pair is compared, so that the time does not tell which one fits.
    fits = [hmac.compare_digest(one, other) for one in expected for other in _signatures(signatures)]
    if not any(fits):
        raise WebhookVerificationError(
            "signature_wrong",
            "no signature fits: check that secret belongs to this webhook and that body is the unchanged body of the request",
        )
    return _message_of(raw)


def _message_of(raw: bytes) -> WebhookMessage:
    try:
        parsed = json.loads(raw, object_hook=Record)
    except (ValueError, RecursionError):
        parsed = None
    wrong = WebhookVerificationError("body_invalid", "expected the body to be a message of a webhook: id, type and data")
    if not isinstance(parsed, dict) or not isinstance(parsed.get("data"), dict):
        raise wrong
    if not isinstance(parsed.get("id"), str) or not isinstance(parsed.get("type"), str):
        raise wrong
    message = WebhookMessage(parsed)
    if message.type.startswith("run."):
        message["run"] = Run(message.data)
    return message


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if isinstance(value, str) and value:
        return value
    raise WebhookVerificationError("headers_invalid", f"expected the header {name}; pass the headers of the request")


def _signatures(value: str) -> List[bytes]:
    """Those of version 1; others, such as v1a, are left out."""
    found: List[bytes] = []
    for entry in value.split(" ")[:_MAX_SIGNATURES]:
        version, _, text = entry.partition(",")
        signature = _base64(text) if version == "v1" else None
        if signature is not None:
            found.append(signature)
    return found


def _key_of(secret: str) -> bytes:
    key = _base64(secret[len(_PREFIX) :]) if isinstance(secret, str) and secret.startswith(_PREFIX) else None
    if not key:
        raise ValueError("expected secret to be the whsec_… secret of the webhook; is the variable that holds it set?")
    return key


def _base64(text: str) -> Optional[bytes]:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
