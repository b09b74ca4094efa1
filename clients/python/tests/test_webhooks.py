from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unittest
from typing import Dict

from pipeline import Run, WebhookVerificationError, verify_webhook
from tests.test_client import RUN

NOW = 1_767_323_045
SECRET = "whsec_" + base64.b64encode(b"a key of twenty-four byte").decode()
OTHER = "whsec_" + base64.b64encode(b"another key").decode()
BODY = json.dumps({"id": "m_1", "type": "run.completed", "created_at": NOW, "data": RUN}).encode()


def signed(body: bytes = BODY, *, secret: str = SECRET, at: int = NOW, message_id: str = "m_1") -> Dict[str, str]:
    """The headers as a server signs body."""
    key = base64.b64decode(secret[len("whsec_") :])
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class Verification(unittest.TestCase):
    def refused(self, code: str, body: bytes, headers: Dict[str, str], **options: float) -> None:
        with self.assertRaises(WebhookVerificationError) as caught:
            verify_webhook(body, headers, SECRET, now=NOW, **options)
        self.assertEqual(caught.exception.code, code)

    def test_reads_a_signed_message_with_headers_of_any_case(self) -> None:
        message = verify_webhook(BODY, {name.title(): value for name, value in signed().items()}, SECRET, now=NOW)
        self.assertEqual((message.id, message.type), ("m_1", "run.completed"))
        assert isinstance(message.run, Run)
        self.assertEqual(message.run.text, RUN["result_preview"][0][0])
        self.assertEqual(verify_webhook(BODY.decode(), signed(), SECRET, now=NOW).id, "m_1")

    def test_gives_a_test_message_no_run(self) -> None:
        body = json.dumps({"id": "m_2", "type": "webhook.test", "created_at": 1, "data": {}}).encode()
        self.assertIsNone(verify_webhook(body, signed(body), SECRET, now=NOW).run)

    def test_accepts_one_fitting_signature_of_several_and_one_of_two_secrets(self) -> None:
        both = f"v1a,eA== {signed(secret=OTHER)['webhook-signature']} {signed()['webhook-signature']}"
        self.assertEqual(verify_webhook(BODY, {**signed(), "webhook-signature": both}, SECRET, now=NOW).id, "m_1")
        self.assertEqual(verify_webhook(BODY, signed(), [OTHER, SECRET], now=NOW).id, "m_1")

    def test_refuses_a_changed_message_another_secret_and_missing_headers(self) -> None:
        self.refused("signature_wrong", BODY + b" ", signed())
        self.refused("signature_wrong", BODY, {**signed(), "webhook-id": "m_9"})
        self.refused("signature_wrong", BODY, {**signed(), "webhook-timestamp": str(NOW + 1)})
        self.refused("signature_wrong", BODY, signed(secret=OTHER))
        for signature in ("v1", "v1,", "v1,!!", "v2,eA=="):
            self.refused("signature_wrong", BODY, {**signed(), "webhook-signature": signature})
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            self.refused("headers_invalid", BODY, {**signed(), name: ""})
        for moment in ("1e3", " 1", "-1", "１"):
            self.refused("headers_invalid", BODY, {**signed(), "webhook-timestamp": moment})

    def test_refuses_a_message_outside_the_tolerance_on_both_sides(self) -> None:
        for seconds in (-301, 301):
            self.refused("time_out_of_tolerance", BODY, signed(at=NOW + seconds))
        for seconds in (-300, 300):
            verify_webhook(BODY, signed(at=NOW + seconds), SECRET, now=NOW)
        self.refused("time_out_of_tolerance", BODY, signed(), tolerance=float("nan"))

    def test_raises_value_error_for_a_secret_that_is_none_and_body_invalid_for_a_signed_body_of_another_form(self) -> None:
        for secret in ("", "whsec_", "abc", "whsec_%"):
            with self.assertRaises(ValueError):
                verify_webhook(BODY, signed(), secret, now=NOW)
        for body in (b"x", b"{}", b"[]", b'{"id": 1, "type": "a", "data": {}}', b"\xff"):
            self.refused("body_invalid", body, signed(body))
