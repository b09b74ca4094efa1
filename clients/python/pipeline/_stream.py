"""The events of a run, over one or more connections."""

from __future__ import annotations

import random
import time
from typing import Any, Dict, Iterator, Mapping, Optional
from urllib.parse import quote

from ._errors import ConnectionFailed, PipelineError
from ._events import Event, event_of, texts_of
from ._retry import retry_wait, with_retries
from ._transport import EventConnection, Transport


class RunStream:
    """The events of one run, iterable once: `for event in stream`, or `for text in stream.texts()`.

    The request is sent when the first event is read. Closing the stream, by close() or as a context manager, ends the
    request.
    """

    def __init__(
        self, transport: Transport, max_retries: int, body: Any, headers: Mapping[str, str], *, can_resume: bool
    ) -> None:
        self._transport = transport
        self._max_retries = max_retries
        self._can_resume = can_resume
        self._connection: Optional[EventConnection] = None
        self._events: Iterator[Event] = self._read(body, headers)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def texts(self) -> Iterator[str]:
        """The text of the first returned sequence in pieces, instead of events.

        Raises RunFailed when the run fails, and StreamInterrupted when generation restarts after text was returned.
        Leaving the loop early ends the request.
        """
        try:
            yield from texts_of(self)
        finally:
            self.close()

    def close(self) -> None:
        """End the request. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._events = iter(())

    def __enter__(self) -> "RunStream":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _read(self, body: Any, headers: Mapping[str, str]) -> Iterator[Event]:
        run_id: Optional[str] = None
        last_id = ""
        drops = 0
        self._connection = self._open("POST", "/v2/runs", body, headers)
        while True:
            try:
                for sent in self._connection or ():
                    last_id = sent.id
                    # Only tokens are progress: a stream that restarts again and again sends run events.
                    if sent.type == "token":
                        drops = 0
                    event = event_of(sent, run_id)
                    if event is None:
                        continue
                    if event.run is not None:
                        run_id = event.run.get("id")
                    yield event
                    if event.run is not None and event.run.has_ended:
                        self.close()
                        return
                raise ConnectionFailed(f"{self._transport.url} ended the stream before the run had ended")
            except PipelineError as error:
                wait = retry_wait(error, drops, random.random()) if drops < self._max_retries else None
                if self._connection is not None:
                    self._connection.close()
                if not self._can_resume or run_id is None or wait is None:
                    raise
                drops += 1
                time.sleep(wait)
                resume: Dict[str, str] = {"Last-Event-ID": last_id} if last_id else {}
                self._connection = self._open("GET", f"/v2/runs/{quote(run_id, safe='')}/events", None, resume)

    def _open(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> EventConnection:
        return with_retries(
            self._max_retries, lambda: self._transport.events(method, path, body, headers=headers)
        )
