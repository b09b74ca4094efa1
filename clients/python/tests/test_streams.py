from __future__ import annotations

import json
import unittest
from typing import Any, Dict, List, Tuple
from unittest import mock

from pipeline import (
    ConnectionFailed,
    PipelineCloud,
    RunFailed,
    StreamInterrupted,
    UnexpectedReply,
    WaitTimeout,
)
from pipeline._events import SentEvent, sent_events
from tests.stub_server import Reply, StubServer
from tests.test_client import DATA, FAILED, PIPELINE, RUN

RUNNING: Dict[str, Any] = {**RUN, "run_state": "running", "result": None, "result_preview": None}
SSE = {"Content-Type": "text/event-stream; charset=utf-8"}


def token(text: str, index: int = 0) -> Dict[str, Any]:
    return {"index": index, "text": text, "tokens": [len(text)]}


def stream(*events: Tuple[str, str, Any], cut: bool = False) -> Reply:
    raw = ": hello\n\n" + "".join(f"id: {i}\nevent: {kind}\ndata: {json.dumps(data)}\n\n" for i, kind, data in events)
    return Reply(200, raw=raw.encode(), headers=SSE, content_length=100_000 if cut else None)


class Streams(unittest.TestCase):
    def test_token_events_have_the_log_probabilities_that_were_asked_for(self) -> None:
        logprobs = [{"token": 3, "text": "two", "logprob": -0.5, "top": [[3, -0.5, "two"]]}]
        reply = stream(
            ("a-1", "run", RUNNING),
            ("a-2", "token", {**token("two"), "logprobs": logprobs}),
            ("a-3", "token", token("three")),
            ("a-4", "run", RUN),
        )
        with StubServer(reply) as stub:
            _, first, second, _ = list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True))
        self.assertEqual(first.logprobs, logprobs)
        assert first.logprobs is not None
        self.assertEqual(first.logprobs[0].text, "two")
        self.assertIsNone(second.logprobs)

    def test_yield_the_accepted_run_its_tokens_and_the_ended_run(self) -> None:
        reply = stream(
            ("a-1", "run", RUNNING),
            ("a-2", "token", token("two ")),
            ("a-3", "weather", {}),
            ("a-4", "token", token("é🦙", 1)),
            ("a-5", "run", RUN),
        )
        with StubServer(reply) as stub:
            events = list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True))
        self.assertEqual([event.type for event in events], ["run", "token", "token", "run"])
        self.assertEqual((events[2].text, events[2].index, events[2].tokens), ("é🦙", 1, [2]))
        assert events[3].run is not None
        self.assertEqual(events[3].run.result_preview, RUN["result_preview"])
        self.assertEqual(stub.received[0].body, {"pipeline_id": PIPELINE, "data": DATA, "stream": True})
        self.assertEqual(stub.received[0].headers["accept"], "text/event-stream")

    def test_resume_after_the_last_event_with_async_run(self) -> None:
        replies = (
            stream(("a-1", "run", RUNNING), ("a-2", "token", token("two ")), cut=True),
            stream(("a-3", "token", token("vast "))),
            Reply(503, {"detail": "busy"}, headers={"Retry-After": "0"}),
            stream(("a-4", "token", token("legs")), ("a-5", "run", RUN)),
        )
        with StubServer(*replies) as stub, mock.patch("time.sleep"):
            api = PipelineCloud("t", url=stub.url, max_retries=1)
            texts = list(api.run_pipeline(PIPELINE, DATA, stream=True, async_run=True).texts())
        self.assertEqual("".join(texts), "two vast legs")
        asked = [(r.method, r.path, r.headers.get("last-event-id")) for r in stub.received]
        events = "/v2/runs/run_1/events"
        self.assertEqual(
            asked, [("POST", "/v2/runs", None), ("GET", events, "a-2"), ("GET", events, "a-3"), ("GET", events, "a-3")]
        )

    def test_without_async_run_raise_when_the_connection_drops(self) -> None:
        with StubServer(stream(("a-1", "run", RUNNING), cut=True)) as stub:
            with self.assertRaises(ConnectionFailed):
                list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True))
        self.assertEqual(len(stub.received), 1)

    def test_that_drop_without_a_token_end_after_max_retries(self) -> None:
        with StubServer(stream(("a-1", "run", RUNNING), cut=True)) as stub, mock.patch("time.sleep"):
            with self.assertRaises(ConnectionFailed):
                list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True, async_run=True))
        self.assertEqual(len(stub.received), 3)

    def test_that_are_left_early_are_closed(self) -> None:
        with StubServer(stream(("a-1", "run", RUNNING), ("a-2", "token", token("x")), cut=True)) as stub:
            with PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True) as events:
                next(events)
            self.assertEqual(list(events), [])
            texts = PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True).texts()
            self.assertEqual(next(texts), "x")
            texts.close()  # type: ignore[attr-defined]

    def test_raise_error_events_failures_of_the_run_and_restarts(self) -> None:
        def texts(*events: Tuple[str, str, Any]) -> List[str]:
            with StubServer(stream(*events)) as stub:
                return list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True).texts())

        with self.assertRaises(StreamInterrupted) as caught:
            texts(("a-1", "run", RUNNING), ("a-2", "error", {"code": "reader_too_slow", "message": "too slow"}))
        self.assertEqual((caught.exception.code, caught.exception.run_id), ("reader_too_slow", "run_1"))
        with self.assertRaises(RunFailed):
            texts(("a-1", "run", FAILED))
        with self.assertRaises(StreamInterrupted) as void:
            texts(("a-1", "token", token("x")), ("a-2", "run", RUNNING))
        self.assertEqual(void.exception.code, "generation_restarted")
        for wrong in ("x", [1], {"index": 0}):
            with self.assertRaises(UnexpectedReply):
                texts(("a-1", "token", wrong))
        with StubServer(Reply(200, RUN)) as stub, self.assertRaises(UnexpectedReply):
            list(PipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA, stream=True))

    def test_refuse_an_event_above_the_size_limit(self) -> None:
        lines = [b"data: 1\n", b": note\n", b"id: 7\n", b"data:2\r\n", b"\n", b"event: e\n", b"\n", b"data: 3\n"]
        self.assertEqual(list(sent_events(lines)), [SentEvent("7", "message", "1\n2")])
        for endless in ([b"data: 123456"], [b"data\n"] * 3):
            with self.assertRaises(UnexpectedReply):
                list(sent_events(endless, limit=10))


class Waiting(unittest.TestCase):
    def test_polls_until_the_run_has_ended(self) -> None:
        replies = (Reply(202, RUNNING), Reply(200, RUNNING), Reply(200, RUNNING), Reply(200, RUN))
        with StubServer(*replies) as stub, mock.patch("time.sleep") as sleep:
            api = PipelineCloud("t", url=stub.url)
            run = api.run_pipeline(PIPELINE, DATA, async_run=True)
            self.assertFalse(run.has_ended)
            self.assertEqual(api.wait(run).run_state, "complete")
        self.assertEqual(stub.received[0].body, {"pipeline_id": PIPELINE, "data": DATA, "async_run": True})
        self.assertEqual(sleep.call_count, 2)

    def test_ends_after_its_timeout_with_the_last_state_of_the_run(self) -> None:
        with StubServer(Reply(200, RUNNING)) as stub, self.assertRaises(WaitTimeout) as caught:
            PipelineCloud("t", url=stub.url).wait("run_1", timeout=0)
        self.assertEqual(caught.exception.run.id, "run_1")

    def test_cancel_run_and_the_filters_of_get_runs_send_the_requests_of_the_api(self) -> None:
        page = {"skip": 0, "limit": 1, "total": 0, "data": []}
        with StubServer(Reply(200, FAILED), Reply(200, page)) as stub:
            api = PipelineCloud("t", url=stub.url)
            self.assertEqual(api.cancel_run("run/1").run_state, "failed")
            api.get_runs(limit=1, order_by="created_at:asc", pipeline_id=PIPELINE, run_state="failed")
        self.assertEqual((stub.received[0].method, stub.received[0].path), ("POST", "/v2/runs/run%2F1/cancel"))
        query = f"limit=1&skip=0&order_by=created_at%3Aasc&pipeline_id={PIPELINE}&run_state=failed"
        self.assertEqual(stub.received[1].path, f"/v2/runs?{query}")


if __name__ == "__main__":
    unittest.main()
