from __future__ import annotations

import asyncio
import traceback
import unittest
from typing import Any, Callable, Dict, List
from unittest import mock

from pipeline import (
    AsyncPipelineCloud,
    AuthenticationError,
    ConnectionFailed,
    NotFound,
    PipelineCloud,
    RunFailed,
    StreamInterrupted,
    UnexpectedReply,
)
from pipeline._events import EventParser, SentEvent, sent_events
from tests.stub_server import Reply, StubServer
from tests.test_client import DATA, FAILED, PIPELINE, RUN
from tests.test_streams import RUNNING, SSE, stream, token

CHUNKED = {"Transfer-Encoding": "chunked"}


async def no_wait(_: float) -> None:
    """In place of asyncio.sleep between retries."""


class AsyncCalls(unittest.IsolatedAsyncioTestCase):
    async def test_generate_sends_parameters_from_a_dict_and_keywords_and_returns_the_first_text(self) -> None:
        with StubServer(Reply(body={**RUN, "result_preview": [["one", "two"]]})) as stub:
            async with AsyncPipelineCloud("t", url=stub.url) as api:
                self.assertEqual(await api.generate("Once", {"top_k": 3}, max_new_tokens=2), "one")
        self.assertEqual(stub.received[0].body["data"], ["Once", {"top_k": 3, "max_new_tokens": 2}])
        self.assertEqual(stub.received[0].headers["authorization"], "Bearer t")
        self.assertRegex(stub.received[0].headers["idempotency-key"], "^python-")

    async def test_replies_with_spaces_before_their_json_are_read(self) -> None:
        with StubServer(Reply(body=RUN, spaces=3)) as stub:
            run = await AsyncPipelineCloud("t", url=stub.url).run_pipeline(PIPELINE, DATA)
        self.assertEqual(run.id, "run_1")

    async def test_stream_yields_pieces_of_text_and_closing_it_ends_the_request(self) -> None:
        reply = stream(("1", "run", RUNNING), ("2", "token", token("a ")), ("3", "token", token("b")), ("4", "run", RUN))
        with StubServer(reply) as stub:
            api = AsyncPipelineCloud("t", url=stub.url)
            self.assertEqual([text async for text in api.stream("Once", max_new_tokens=2)], ["a ", "b"])
            async with api.stream("Once") as pieces:
                async for text in pieces:
                    self.assertEqual(text, "a ")
                    break
            self.assertEqual([text async for text in pieces], [])
        self.assertTrue(stub.received[0].body["stream"])

    async def test_a_failed_run_ends_its_stream_with_run_failed(self) -> None:
        with StubServer(stream(("1", "run", RUNNING), ("2", "run", FAILED))) as stub:
            with self.assertRaises(RunFailed):
                async for _ in AsyncPipelineCloud("t", url=stub.url).stream("Once"):
                    pass

    async def test_a_dropped_connection_is_resumed_after_the_last_event_of_a_run_that_outlives_its_stream(self) -> None:
        replies = (
            stream(("1", "run", RUNNING), ("2", "token", token("a")), cut=True),
            stream(("3", "token", token("b")), ("4", "run", RUN)),
        )
        with StubServer(*replies) as stub, mock.patch("asyncio.sleep", no_wait):
            api = AsyncPipelineCloud("t", url=stub.url)
            events = await api.run_pipeline(PIPELINE, DATA, stream=True, async_run=True)
            texts = [event.text async for event in events if event.type == "token"]
        self.assertEqual(texts, ["a", "b"])
        self.assertEqual(stub.received[1].path, "/v2/runs/run_1/events")
        self.assertEqual(stub.received[1].headers["last-event-id"], "2")

    async def test_a_stream_that_ends_early_raises_when_its_run_has_ended_with_it(self) -> None:
        with StubServer(stream(("1", "run", RUNNING), cut=True)) as stub:
            with self.assertRaises(ConnectionFailed):
                async for _ in AsyncPipelineCloud("t", url=stub.url).stream("Once"):
                    pass
        error = ("1", "error", {"code": "reader_too_slow", "message": "too slow"})
        with StubServer(stream(error)) as stub, self.assertRaises(StreamInterrupted):
            async for _ in AsyncPipelineCloud("t", url=stub.url).stream("Once"):
                pass

    async def test_many_runs_at_a_time_need_no_thread_each(self) -> None:
        with StubServer(Reply(body=RUN)) as stub:
            api = AsyncPipelineCloud("t", url=stub.url)
            texts = await asyncio.gather(*(api.generate(f"prompt {at}") for at in range(40)))
        self.assertEqual(len(texts), 40)
        self.assertEqual(len({request.headers["idempotency-key"] for request in stub.received}), 40)

    async def test_a_cancelled_call_closes_its_connection(self) -> None:
        with StubServer(Reply(silent=True)) as stub:
            call = asyncio.ensure_future(AsyncPipelineCloud("t", url=stub.url).get_run("run_1"))
            while not stub.received:
                await asyncio.sleep(0.001)
            call.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await call

    async def test_a_silent_server_raises_after_the_timeout(self) -> None:
        with StubServer(Reply(silent=True)) as stub:
            api = AsyncPipelineCloud("t", url=stub.url, timeout=0.05, max_retries=0)
            with self.assertRaisesRegex(ConnectionFailed, "was silent for 0.05 s"):
                await api.get_run("run_1")

    async def test_chunked_replies_are_read_and_broken_ones_refused(self) -> None:
        async def read(raw: bytes) -> Any:
            with StubServer(Reply(raw=raw, headers=CHUNKED, content_length=-1)) as stub:
                return await AsyncPipelineCloud("t", url=stub.url, max_retries=0).users.me()

        self.assertEqual((await read(b'3;x=y\r\n{"a\r\n4\r\n": 1\r\n1\r\n}\r\n0\r\n\r\n')).a, 1)
        for broken in (b"3\r\n{}", b"zz\r\n{}\r\n", b""):
            with self.assertRaises(ConnectionFailed):
                await read(broken)

    async def test_errors_have_the_classes_of_the_synchronous_client(self) -> None:
        with StubServer(Reply(404, {"detail": {"code": "run_unknown", "message": "no run"}})) as stub:
            with self.assertRaises(NotFound) as caught:
                await AsyncPipelineCloud("t", url=stub.url).get_run("run_1")
        self.assertEqual(caught.exception.code, "run_unknown")
        with StubServer(Reply(302, {}, headers={"Location": "http://elsewhere"})) as stub:
            with self.assertRaisesRegex(ConnectionFailed, "redirects to http://elsewhere"):
                await AsyncPipelineCloud("t", url=stub.url).get_run("run_1")
        with StubServer(Reply(raw=b"<html>")) as stub, self.assertRaises(UnexpectedReply):
            await AsyncPipelineCloud("t", url=stub.url).get_run("run_1")
        with self.assertRaises(AuthenticationError), mock.patch.dict("os.environ", clear=True):
            AsyncPipelineCloud()

    async def test_lists_are_read_page_after_page(self) -> None:
        pages: List[Dict[str, Any]] = [
            {"skip": 0, "limit": 1, "total": 2, "data": [{"id": "token_1"}], "next_cursor": "2.1.token_1"},
            {"skip": 0, "limit": 1, "total": 2, "data": [{"id": "token_2"}], "next_cursor": None},
        ]
        with StubServer(*(Reply(body=page) for page in pages)) as stub:
            found = [one.id async for one in AsyncPipelineCloud("t", url=stub.url).tokens.iter(limit=1)]
        self.assertEqual(found, ["token_1", "token_2"])
        self.assertEqual(stub.received[1].path, "/v2/tokens?limit=1&cursor=2.1.token_1")
        without = [{"skip": 0, "limit": 1, "total": 2, "data": [{"id": "a"}]}, {"skip": 1, "limit": 1, "total": 2, "data": [{"id": "b"}]}]
        with StubServer(*(Reply(body=page) for page in without)) as stub:
            found = [one.id async for one in AsyncPipelineCloud("t", url=stub.url).pipelines.iter(limit=1)]
        self.assertEqual((found, len(stub.received)), (["a", "b"], 2))


class DownServers(unittest.TestCase):
    """An error is one message, not the tracebacks of the sockets below it."""

    def check(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except ConnectionFailed:
            text = traceback.format_exc()
        else:
            self.fail("expected ConnectionFailed")
        self.assertEqual(text.count("Traceback (most recent call last)"), 1, text)
        self.assertIn("found no server at http://127.0.0.1:1; start it", text)

    def test_raise_one_traceback_from_the_synchronous_client(self) -> None:
        with mock.patch("time.sleep"):
            self.check(lambda: PipelineCloud("t", url="http://127.0.0.1:1").get_run("run_1"))

    def test_raise_one_traceback_from_the_asynchronous_client(self) -> None:
        client = AsyncPipelineCloud("t", url="http://127.0.0.1:1", max_retries=0)
        self.check(lambda: asyncio.run(client.authenticate()))


class EventPieces(unittest.TestCase):
    def test_give_the_events_of_whole_lines_wherever_the_pieces_end(self) -> None:
        raw = ": hello\n\nid: 1\nevent: token\ndata: {\"é\": 1}\ndata: two\n\r\ndata: last\n\n".encode()
        whole = list(sent_events(raw.splitlines(keepends=True)))
        self.assertEqual(whole[0], SentEvent("1", "token", '{"é": 1}\ntwo'))
        for size in (1, 2, 3, 7, len(raw)):
            parser = EventParser()
            pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
            self.assertEqual([event for piece in pieces for event in parser.push(piece)], whole)

    def test_that_grow_too_large_are_refused(self) -> None:
        for pieces in ([b"data: " + b"x" * 20], [b"data: xxxxxxxx\n", b"data: xxxxxxxx\n"]):
            parser = EventParser(limit=16)
            with self.assertRaises(UnexpectedReply):
                for piece in pieces:
                    parser.push(piece)
