from __future__ import annotations

import copy
import json
import os
import unittest
from typing import Any, Dict, List
from unittest import mock

from pipeline import (
    AuthenticationError,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    PipelineCloud,
    PipelineError,
    QuotaExceeded,
    RateLimited,
    RunFailed,
    ServerError,
    UnexpectedReply,
)
from tests.stub_server import Reply, StubServer

PIPELINE = "pipeline_d7502b78863744c495d7d22f321cf7ff"
DATA = ["I met a traveller from an antique land, who said", {"response_length": 64, "remove_input": False}]
RUN: Dict[str, Any] = {
    "id": "run_1",
    "created_at": 1648000000.5,
    "run_state": "complete",
    "runnable": {"id": PIPELINE, "type": "pipeline"},
    "data": {"id": "data_1", "created_at": 1648000000.5},
    "compute_time_ms": 1500,
    "result": {"id": "file_1", "name": "result", "path": "object_1", "file_size": 32},
    "result_preview": [["… who said: two vast and trunkless legs"]],
    "error": None,
    "error_info": None,
}
FAILED: Dict[str, Any] = {
    **RUN,
    "run_state": "failed",
    "result": None,
    "result_preview": None,
    "error": "pipeline_fault",
    "error_info": {"exception": "Prompt must be a non-empty string.", "traceback": ""},
}


def refusal(status: int, body: Any = None, **rest: Any) -> PipelineError:
    """The error that run_pipeline raises on that reply."""
    with StubServer(Reply(status, body, **rest)) as stub:
        try:
            PipelineCloud("t", url=stub.url, max_retries=0).run_pipeline(PIPELINE, DATA)
        except PipelineError as error:
            return error
    raise AssertionError("expected a PipelineError")


class TheModelCardSnippet(unittest.TestCase):
    def test_runs_unchanged_against_the_server_of_the_environment_variable(self) -> None:
        with StubServer(Reply(200, RUN)) as stub, mock.patch.dict(os.environ, {"PIPELINE_API_URL": stub.url}):
            api = PipelineCloud("API_TOKEN")
            run = api.run_pipeline(
                "pipeline_d7502b78863744c495d7d22f321cf7ff",
                ["I met a traveller from an antique land, who said", {"response_length": 64, "remove_input": False}],
            )
            self.assertEqual(run["result_preview"], RUN["result_preview"])
        request = stub.received[0]
        self.assertEqual((request.method, request.path), ("POST", "/v2/runs"))
        self.assertEqual(request.headers["authorization"], "Bearer API_TOKEN")
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(request.body, {"pipeline_id": PIPELINE, "data": DATA})

    def test_prints_the_texts_as_a_plain_list(self) -> None:
        with StubServer(Reply(200, {**RUN, "result_preview": [{"generated_text": "x"}]})) as stub:
            run = PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA)
        self.assertEqual(str(run["result_preview"]), "[{'generated_text': 'x'}]")


class Runs(unittest.TestCase):
    def run_of(self, body: Any, **rest: Any) -> Any:
        with StubServer(Reply(200, body, **rest)) as stub:
            return PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA)

    def test_are_mappings_and_have_attributes_at_every_depth(self) -> None:
        run = self.run_of(FAILED)
        self.assertEqual(run.error_info.exception, "Prompt must be a non-empty string.")
        self.assertEqual(run["error_info"]["exception"], run.error_info.exception)
        self.assertEqual(json.loads(json.dumps(run)), FAILED)
        self.assertEqual(copy.deepcopy(run), run)

    def test_give_none_for_an_absent_optional_field_and_list_the_fields_for_an_unknown_one(self) -> None:
        run = self.run_of({"id": "run_1", "run_state": "complete"})
        self.assertIsNone(run.error_info)
        with self.assertRaisesRegex(AttributeError, "'result_previw'; it has id, run_state"):
            run.result_previw

    def test_that_failed_are_returned_and_raise_for_raise_for_state(self) -> None:
        run = self.run_of(FAILED)
        self.assertIsNone(run["result_preview"])
        with self.assertRaises(RunFailed) as caught:
            run.raise_for_state()
        self.assertIs(caught.exception.run, run)
        self.assertEqual(caught.exception.error, "pipeline_fault")
        self.assertEqual(caught.exception.exception, "Prompt must be a non-empty string.")
        complete = self.run_of(RUN)
        self.assertIs(complete.raise_for_state(), complete)

    def test_may_follow_any_number_of_spaces(self) -> None:
        self.assertEqual(self.run_of(RUN, spaces=50).result_preview, RUN["result_preview"])

    def test_with_data_without_a_json_form_are_refused_before_a_request_is_sent(self) -> None:
        with StubServer(Reply(200, RUN)) as stub:
            api = PipelineCloud("t", url=stub.url)
            with self.assertRaises(ValueError):
                api.run_pipeline(PIPELINE, ["a", {"temperature": float("nan")}])
            with self.assertRaises(TypeError):
                api.run_pipeline(PIPELINE, ["a", {"x": object()}])
        self.assertEqual(stub.received, [])


class OtherCalls(unittest.TestCase):
    def test_get_run_quotes_the_id(self) -> None:
        with StubServer(Reply(200, RUN)) as stub:
            self.assertEqual(PipelineCloud("t", url=stub.url).get_run("run_1/../x").id, "run_1")
        self.assertEqual(stub.received[0].path, "/v2/runs/run_1%2F..%2Fx")

    def test_get_run_input_returns_prompt_and_parameters(self) -> None:
        with StubServer(Reply(200, {"prompt": "hi", "parameters": {"top_k": 1}})) as stub:
            read = PipelineCloud("t", url=stub.url).get_run_input("run_1")
        self.assertEqual((read.prompt, read.parameters.top_k), ("hi", 1))
        self.assertEqual(stub.received[0].path, "/v2/runs/run_1/input")

    def test_get_runs_requests_the_page_and_returns_runs(self) -> None:
        with StubServer(Reply(200, {"skip": 5, "limit": 2, "total": 7, "data": [RUN, FAILED]})) as stub:
            page = PipelineCloud("t", url=stub.url).get_runs(skip=5, limit=2)
        self.assertEqual(stub.received[0].path, "/v2/runs?limit=2&skip=5&order_by=created_at%3Adesc")
        self.assertEqual((page.total, page["data"][1].error), (7, "pipeline_fault"))
        with self.assertRaises(RunFailed):
            page.data[1].raise_for_state()

    def test_iter_runs_yields_the_runs_of_every_page(self) -> None:
        page = {"skip": 0, "limit": 1, "total": 2}
        with StubServer(
            Reply(200, {**page, "data": [RUN], "next_cursor": "2.1.run_1"}), Reply(200, {**page, "data": [FAILED]})
        ) as stub:
            runs = list(PipelineCloud("t", url=stub.url).iter_runs(limit=1))
        self.assertEqual([run.run_state for run in runs], ["complete", "failed"])
        self.assertEqual(stub.received[1].path, "/v2/runs?limit=1&order_by=created_at%3Adesc&cursor=2.1.run_1")

    def test_authenticate_returns_the_account(self) -> None:
        with StubServer(Reply(200, {"username": "ada"})) as stub:
            self.assertEqual(PipelineCloud("t", url=stub.url + "/").authenticate().username, "ada")
        self.assertEqual(stub.received[0].path, "/v2/users/me")

    def test_download_result_loads_the_pickle_of_the_result_file(self) -> None:
        file = {"id": "file_1", "data": "80025d285d285802000000686965652e"}
        with StubServer(Reply(200, RUN), Reply(200, file)) as stub:
            api = PipelineCloud("t", url=stub.url)
            self.assertEqual(api.download_result(api.run_pipeline(PIPELINE, DATA)), [["hi"]])
            self.assertEqual(api.download_result("file_1"), [["hi"]])
        self.assertEqual(stub.received[1].path, "/v2/files/file_1?return_data=true")

    def test_download_result_of_a_failed_run_raises_its_failure(self) -> None:
        with StubServer(Reply(200, FAILED)) as stub:
            api = PipelineCloud("t", url=stub.url)
            with self.assertRaises(RunFailed):
                api.download_result(api.run_pipeline(PIPELINE, DATA))

    def test_download_result_refuses_a_pickle_that_names_a_callable(self) -> None:
        calls = b"cos\nsystem\n(S'exit 1'\ntR.".hex()
        for data in (calls, "80", "zz", 7):
            with StubServer(Reply(200, {"id": "file_1", "data": data})) as stub, self.assertRaises(UnexpectedReply):
                PipelineCloud("t", url=stub.url).download_result("file_1")


class Refusals(unittest.TestCase):
    def test_are_one_class_per_status(self) -> None:
        for status, kind in (
            (400, InvalidRequest),
            (401, AuthenticationError),
            (402, QuotaExceeded),
            (403, PermissionDenied),
            (404, NotFound),
            (405, PipelineError),
            (409, Conflict),
            (422, InvalidRequest),
            (429, RateLimited),
            (500, ServerError),
            (503, ServerError),
        ):
            error = refusal(status, {"detail": {"message": "no"}}, headers={"X-Request-Id": "r1"})
            self.assertIs(type(error), kind)
            self.assertEqual((error.status, error.request_id, str(error)), (status, "r1", f"{status}: no"))

    def test_keep_the_message_of_every_form_of_detail(self) -> None:
        for body, text in (
            ({"detail": "Token not provided"}, "401: Token not provided"),
            ({"detail": {"message": "Token not found", "token": "…"}}, "401: Token not found"),
            ({"detail": [{"loc": ["body", "data"], "msg": "missing"}]}, "401: body->data: missing"),
            ({}, "401: Unauthorized"),
            ([1], "401: Unauthorized"),
        ):
            self.assertEqual(str(refusal(401, body)), text)

    def test_name_the_parameters_of_an_invalid_request(self) -> None:
        single = refusal(400, {"detail": {"message": "Invalid parameter given", "parameter": "top_p"}})
        assert isinstance(single, InvalidRequest)
        self.assertEqual(single.parameters, ("top_p",))
        self.assertEqual(str(single), "400: Invalid parameter given; parameter top_p")
        errors: List[Dict[str, str]] = [{"parameter": "body->x", "error": "bad"}, {"parameter": "body->y", "error": "worse"}]
        several = refusal(422, {"detail": {"message": "2 validation errors in request", "errors": errors}})
        assert isinstance(several, InvalidRequest)
        self.assertEqual(several.parameters, ("body->x", "body->y"))
        self.assertIn("body->y: worse", str(several))

    def test_have_code_remedy_and_request_id_of_this_server(self) -> None:
        detail = {
            "message": "1 error in request: temperature: expected a number above 0, got 0",
            "code": "invalid_request",
            "parameters": ["temperature"],
            "errors": [{"parameter": "temperature", "error": "expected a number above 0, got 0"}],
            "remedy": "correct the parameters listed in errors",
            "request_id": "r2",
        }
        error = refusal(400, {"detail": detail}, headers={"X-Request-Id": "r1"})
        assert isinstance(error, InvalidRequest)
        self.assertEqual(
            str(error),
            "400: 1 error in request: temperature: expected a number above 0, got 0 (correct the parameters listed in errors)",
        )
        self.assertEqual((error.code, error.request_id, error.parameters), ("invalid_request", "r2", ("temperature",)))

    def test_that_are_not_json_are_quoted_and_cut(self) -> None:
        error = refusal(502, raw=b"<html>\n  Bad gateway" + b"!" * 5000)
        self.assertIsInstance(error, ServerError)
        self.assertTrue(str(error).startswith("502: <html> Bad gateway!!"))
        self.assertLess(len(str(error)), 250)
        self.assertEqual(str(refusal(500, raw=b"")), "500: Internal Server Error")

    def test_give_the_delay_of_retry_after(self) -> None:
        for header, expected in (({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None), ({}, None)):
            error = refusal(429, {"detail": {"message": "queue is full"}}, headers=header)
            assert isinstance(error, RateLimited)
            self.assertEqual(error.retry_after, expected)
        exact = refusal(429, {"detail": {"message": "slow down", "retry_after_ms": 1234}}, headers={"Retry-After": "2"})
        assert isinstance(exact, RateLimited)
        self.assertEqual(exact.retry_after, 1.234)
        dated = refusal(503, {}, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
        assert isinstance(dated, ServerError)
        self.assertEqual(dated.retry_after, 0.0)


class Connections(unittest.TestCase):
    def test_to_an_address_without_a_server_raise_connection_failed(self) -> None:
        with StubServer(Reply()) as stub:
            url = stub.url
        with self.assertRaisesRegex(ConnectionFailed, "found no server at http://127.0.0.1"):
            PipelineCloud("t", url=url, max_retries=0).authenticate()

    def test_that_are_silent_end_after_the_timeout(self) -> None:
        with StubServer(Reply(silent=True)) as stub, self.assertRaisesRegex(ConnectionFailed, "silent for 0.05 s"):
            PipelineCloud("t", url=stub.url, timeout=0.05, max_retries=0).authenticate()

    def test_that_break_within_the_reply_raise_connection_failed(self) -> None:
        error = refusal(200, raw=b'{"id": "run_1"', content_length=500)
        self.assertIsInstance(error, ConnectionFailed)

    def test_never_follow_a_redirect_with_the_token(self) -> None:
        for status in (301, 302, 303, 307, 308):
            with StubServer(Reply(200, RUN)) as other:
                error = refusal(status, {}, headers={"Location": other.url + "/v2/runs"})
            self.assertEqual(other.received, [])
            self.assertIsInstance(error, ConnectionFailed)
            self.assertIn(other.url, str(error))

    def test_to_another_kind_of_server_raise_unexpected_reply(self) -> None:
        for rest in ({"raw": b"<html>hello"}, {"raw": b""}, {"body": [1]}, {"body": {"alive": True}}, {"raw": b"[" * 100000}):
            self.assertIsInstance(refusal(200, **rest), UnexpectedReply)

    def test_to_loopback_ignore_a_proxy_of_the_environment(self) -> None:
        with StubServer(Reply(200, {})) as stub:
            with mock.patch.dict(os.environ, {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}):
                PipelineCloud("t", url=stub.url).authenticate()


class Construction(unittest.TestCase):
    def test_takes_the_token_from_the_environment_and_refuses_a_missing_one(self) -> None:
        with StubServer(Reply(200, {})) as stub:
            with mock.patch.dict(os.environ, {"PIPELINE_API_TOKEN": "from-env"}):
                PipelineCloud(url=stub.url).authenticate()
        self.assertEqual(stub.received[0].headers["authorization"], "Bearer from-env")
        with mock.patch.dict(os.environ):
            os.environ.pop("PIPELINE_API_TOKEN", None)
            with self.assertRaisesRegex(AuthenticationError, "PIPELINE_API_TOKEN"):
                PipelineCloud()

    def test_refuses_invalid_addresses_and_tokens(self) -> None:
        for url in ("API_TOKEN", "ftp://x", "http://", "http://user:pw@x", "http://x:99999999", "http://x?a=b"):
            with self.assertRaises(ValueError):
                PipelineCloud("t", url=url)
        for token in ("a\nb", "a b", "tökén"):
            with self.assertRaises(ValueError):
                PipelineCloud(token, url="http://x")
        with self.assertRaises(ValueError):
            PipelineCloud("t", timeout=0)
        with self.assertRaises(ValueError):
            PipelineCloud("t", max_retries=-1)

    def test_keeps_the_token_out_of_the_representation(self) -> None:
        self.assertNotIn("secret", repr(PipelineCloud("secret")))



class LimitsAndTokens(unittest.TestCase):
    def test_read_what_is_left_of_the_plan(self) -> None:
        day = {"used": 1, "limit": None, "reserved": 2, "resets_at": 3.0}
        with StubServer(Reply(200, {"plan_id": "free", "day": day})) as stub:
            limits = PipelineCloud("t", url=stub.url).get_limits()
        self.assertEqual(limits.day.reserved, 2)
        self.assertEqual((stub.received[0].method, stub.received[0].path), ("GET", "/v2/limits"))

    def test_rotate_a_token_once_with_the_password_percent_encoded(self) -> None:
        with StubServer(Reply(503), Reply(200, {"id": "token_1", "value": "gptj_x"})) as stub:
            api = PipelineCloud("t", url=stub.url)
            with self.assertRaises(ServerError):
                api.rotate_token("a/b")
            rotated = api.rotate_token("a/b", overlap_seconds=60, password="pä 1", code="123456")
        self.assertEqual(rotated.value, "gptj_x")
        self.assertEqual(len(stub.received), 2)
        request = stub.received[1]
        self.assertEqual((request.path, request.body), ("/v2/tokens/a%2Fb/rotate", {"overlap_seconds": 60}))
        self.assertEqual(request.headers["x-confirm-password"], "p%C3%A4%201")
        self.assertEqual(request.headers["x-confirm-code"], "123456")

    def test_check_a_run_without_running_it(self) -> None:
        reply = {"prompt_tokens": 4, "warnings": [], "refusal": {"code": "quota_exceeded"}}
        with StubServer(Reply(200, reply)) as stub:
            check = PipelineCloud("t", url=stub.url).check_run(PIPELINE, DATA)
        self.assertEqual((check.prompt_tokens, check.refusal.code), (4, "quota_exceeded"))
        self.assertEqual(stub.received[0].path, "/v2/runs/check")
        self.assertEqual(stub.received[0].body, {"pipeline_id": PIPELINE, "data": DATA})

    def test_tokenize_and_detokenize(self) -> None:
        with StubServer(
            Reply(200, {"tokens": [1, 2], "texts": ["a", "b"], "offsets": [0, 1]}),
            Reply(200, {"text": "ab", "texts": ["a", "b"]}),
        ) as stub:
            api = PipelineCloud("t", url=stub.url)
            tokens = api.tokenize("ab").tokens
            self.assertEqual(api.detokenize(tokens, skip_special_tokens=True, model="b").text, "ab")
        self.assertEqual(stub.received[0].body, {"text": "ab", "split_special_tokens": False})
        self.assertEqual(stub.received[1].body, {"tokens": [1, 2], "skip_special_tokens": True, "model": "b"})


if __name__ == "__main__":
    unittest.main()
