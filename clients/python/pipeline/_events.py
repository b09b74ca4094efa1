"""Server-sent events of a run."""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional

from ._errors import StreamInterrupted, UnexpectedReply
from ._records import Record, Run, record_of

#: Maximum size of one event and of one line; more is an error.
MAX_EVENT_BYTES = 16 * 1024 * 1024


class SentEvent(NamedTuple):
    id: str
    type: str
    data: str


class Event(Record):
    """One event of a stream.

    type is `run` (`run` is the accepted or ended run) or `token` (`text` is added to the text of sequence `index`, `tokens`
    are its ids), or `beams` (with output_beams: `candidates` of `step`). With the parameter `logprobs`, `logprobs` has a record for each token: token, text, logprob, and in top the
    most likely ones as [token, logprob, text]. A `run` event of a run that has not ended, after tokens, means that generation
    has restarted: discard the earlier tokens.
    """

    __slots__ = ()
    _optional = frozenset("run index text tokens logprobs step candidates".split())

    type: str
    run: Optional[Run]
    index: Optional[int]
    text: Optional[str]
    tokens: Optional[List[int]]
    logprobs: Optional[List[Record]]
    #: With output_beams: what `step` of a beam search considered, counted from 0.
    step: Optional[int]
    candidates: Optional[List[Record]]


class LineParser:
    """The state between the lines of a stream (WHATWG HTML, section 9.2.6)."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._id, self._type = "", ""
        self._data: List[str] = []
        self._size = 0

    def push(self, line: bytes) -> Optional[SentEvent]:
        """The event that this line, with its line break, ends. Raises UnexpectedReply for an event that is too large."""
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if not text:
            data, kind = self._data, self._type
            self._data, self._type, self._size = [], "", 0
            return SentEvent(self._id, kind or "message", "\n".join(data)) if data else None
        field, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            self._size += len(line)
            if self._size > self._limit:
                raise UnexpectedReply(f"expected events of up to {self._limit} bytes")
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None


class EventParser:
    """The events of a stream that arrives in pieces. Time is linear in the stream."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._lines = LineParser(limit)
        self._rest: List[bytes] = []
        self._rest_size = 0

    def push(self, piece: bytes) -> List[SentEvent]:
        """The events that this piece ends. Raises UnexpectedReply for a line or an event that is too large."""
        *ended, rest = piece.split(b"\n")
        events: List[SentEvent] = []
        for line in ended:
            event = self._lines.push(b"".join([*self._rest, line, b"\n"]))
            self._rest, self._rest_size = [], 0
            if event is not None:
                events.append(event)
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
            if self._rest_size > self._limit:
                raise UnexpectedReply(f"expected events of up to {self._limit} bytes")
        return events


def sent_events(lines: Iterable[bytes], limit: int = MAX_EVENT_BYTES) -> Iterator[SentEvent]:
    """The events in lines, each with its line break. An unfinished event at the end is dropped."""
    parser = LineParser(limit)
    for line in lines:
        if not line.endswith(b"\n"):
            if len(line) > limit:
                raise UnexpectedReply(f"expected events of up to {limit} bytes")
            return
        event = parser.push(line)
        if event is not None:
            yield event


def event_of(sent: SentEvent, run_id: Optional[str]) -> Optional[Event]:
    """The event; None for an unknown one, which a later server may add. Raises StreamInterrupted for an error event."""
    if sent.type not in ("run", "token", "beams", "error"):
        return None
    try:
        value: Any = json.loads(sent.data, object_hook=Record)
    except (ValueError, RecursionError):
        raise UnexpectedReply("expected an event of the stream to hold JSON") from None
    if sent.type == "run":
        return Event(type="run", run=record_of(Run, value, "run_state"))
    if sent.type == "error":
        fault = record_of(Record, value, "message")
        raise StreamInterrupted(str(fault["message"]), code=str(fault.get("code")), run_id=run_id)
    if sent.type == "beams":
        beams = record_of(Record, value, "candidates")
        return Event(type="beams", step=beams.get("step", 0), candidates=beams["candidates"])
    token = record_of(Record, value, "text")
    event = Event(type="token", index=token.get("index", 0), text=token["text"], tokens=token.get("tokens", []))
    if token.get("logprobs") is not None:
        event["logprobs"] = token["logprobs"]
    return event


class TextReader:
    """The text of the first returned sequence, from the events of a run."""

    def __init__(self) -> None:
        self._has_text = False

    def push(self, event: Event) -> str:
        """The text that an event adds.

        Raises RunFailed when the run fails, and StreamInterrupted when generation restarts after text was returned.
        """
        if event.run is not None:
            event.run.raise_for_state()
            if self._has_text and not event.run.has_ended:
                message = "the run restarted after text was returned; read the events, or wait for its end"
                raise StreamInterrupted(message, code="generation_restarted", run_id=event.run.get("id"))
        elif event.text and event.index == 0:
            self._has_text = True
            return event.text
        return ""
