from __future__ import annotations

import unittest
from typing import List
from unittest import mock

from pipeline import ConnectionFailed, NotFound, PipelineCloud, RateLimited, ServerError
from pipeline._retry import retry_wait
from tests.stub_server import Reply, StubServer
from tests.test_client import DATA, PIPELINE, RUN

GOOD = Reply(200, RUN)
#: A reply whose connection breaks within the body.
CUT = Reply(200, raw=b'{"id": "run_1"', content_length=500)


class Retries(unittest.TestCase):
    def setUp(self) -> None:
        self.slept: List[float] = []
        patch = mock.patch("time.sleep", self.slept.append)
        patch.start()
        self.addCleanup(patch.stop)

    def test_are_made_after_429_503_and_a_broken_connection_only(self) -> None:
        lost = ConnectionFailed("lost")
        waits = [retry_wait(lost, count, 0.5) for count in (0, 1, 2, 3, 4, 5, 5000)]
        self.assertEqual(waits, [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0])
        self.assertEqual(retry_wait(ServerError("x", status=503), 0, 0.5), 0.25)
        for stays in (ServerError("x", status=500), NotFound("x", status=404), ConnectionFailed("x", status=302)):
            self.assertIsNone(retry_wait(stays, 0, 0.5))

    def test_wait_at_least_retry_after_and_are_not_made_when_it_is_more_than_a_minute(self) -> None:
        self.assertEqual(retry_wait(RateLimited("x", retry_after=3.0), 5, 0), 3.0)
        self.assertAlmostEqual(retry_wait(RateLimited("x", retry_after=3.0), 0, 0.5) or 0, 3.15)
        self.assertIsNone(retry_wait(RateLimited("x", retry_after=60.5), 0, 0))

    def test_send_a_run_under_the_same_key_and_the_next_run_under_another(self) -> None:
        busy = Reply(429, {"detail": "busy"}, headers={"Retry-After": "7"})
        with StubServer(busy, CUT, GOOD) as stub:
            api = PipelineCloud("t", url=stub.url)
            self.assertEqual(api.run_pipeline(PIPELINE, DATA).id, "run_1")
            api.run_pipeline(PIPELINE, DATA)
            api.run_pipeline(PIPELINE, DATA, idempotency_key="mine")
        keys = [request.headers["idempotency-key"] for request in stub.received]
        self.assertEqual(len(set(keys[:3])), 1)
        self.assertNotEqual(keys[3], keys[0])
        self.assertEqual(keys[4], "mine")
        self.assertTrue(7 <= self.slept[0] <= 7.7)

    def test_are_at_most_max_retries(self) -> None:
        with StubServer(Reply(503, {})) as stub:
            with self.assertRaises(ServerError):
                PipelineCloud("t", url=stub.url).get_run("run_1")
        self.assertEqual(len(stub.received), 3)
        with StubServer(Reply(500, {})) as stub:
            with self.assertRaises(ServerError):
                PipelineCloud("t", url=stub.url).get_run("run_1")
        self.assertEqual(len(stub.received), 1)

    def test_of_a_deletion_take_404_after_a_lost_reply_as_success(self) -> None:
        missing = Reply(404, {"detail": "no run"})
        with StubServer(CUT, missing) as stub:
            PipelineCloud("t", url=stub.url).delete_run("run_1")
        for replies in ((missing,), (Reply(503, {}), missing)):
            with StubServer(*replies) as stub, self.assertRaises(NotFound):
                PipelineCloud("t", url=stub.url).delete_run("run_1")
        with StubServer(Reply(204)) as stub:
            PipelineCloud("t", url=stub.url).delete_run("run_1")
        self.assertEqual((stub.received[0].method, stub.received[0].path), ("DELETE", "/v2/runs/run_1"))

    def test_of_files_and_data_go_to_their_paths(self) -> None:
        with StubServer(Reply(204)) as stub:
            api = PipelineCloud("t", url=stub.url)
            api.delete_file("file_1")
            api.delete_data("data_1")
        self.assertEqual(
            [(each.method, each.path) for each in stub.received],
            [("DELETE", "/v2/files/file_1"), ("DELETE", "/v2/data/data_1")],
        )


if __name__ == "__main__":
    unittest.main()
