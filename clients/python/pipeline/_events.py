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
    are its ids). With the parameter `logprobs`, `logprobs` has a record for each token: token, text, logprob, and in top the
    most likely ones as [token, logprob, text]. A `run` event of a run that has not ended, after tokens, means that generation
    has restarted: discard the earlier tokens.
    """

    __slots__ = ()
    _optional = frozenset("run index text tokens logprobs".split())

    type: str
    run: Optional[Run]
    index: Optional[int]
    text: Optional[str]
    tokens: Optional[List[int]]
    logprobs: Optional[List[Record]]


def sent_events(lines: Iterable[bytes], limit: int = MAX_EVENT_BYTES) -> Iterator[SentEvent]:
    """The events in lines, each with its line break. An unfinished event at the end is dropped."""
    event_id, event_type = "", ""
    data: List[str] = []
    size = 0
    for line in lines:
        if not line.endswith(b"\n"):
            if len(line) > limit:
                raise UnexpectedReply(f"expected events of up to {limit} bytes")
            return
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if not text:
            if data:
                yield SentEvent(event_id, event_type or "message", "\n".join(data))
            event_type, data, size = "", [], 0
            continue
        field, _, value = text.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            size += len(line)
            if size > limit:
                raise UnexpectedReply(f"expected events of up to {limit} bytes")
            data.append(value)
        elif field == "event":
            event_type = value
        elif field == "id" and "\0" not in value:
            event_id = value


def event_of(sent: SentEvent, run_id: Optional[str]) -> Optional[Event]:
    """The event; None for an unknown one, which a later server may add. Raises StreamInterrupted for an error event."""
    if sent.type not in ("run", "token", "error"):
        return None
    try:
        value: Any = json.loads(sent.data, object_hook=Record)
    except (ValueError, RecursionError) as cause:
        raise UnexpectedReply("expected an event of the stream to hold JSON") from cause
    if sent.type == "run":
        return Event(type="run", run=record_of(Run, value, "run_state"))
    if sent.type == "error":
        fault = record_of(Record, value, "message")
        raise StreamInterrupted(str(fault["message"]), code=str(fault.get("code")), run_id=run_id)
    token = record_of(Record, value, "text")
    event = Event(type="token", index=token.get("index", 0), text=token["text"], tokens=token.get("tokens", []))
    if token.get("logprobs") is not None:
        event["logprobs"] = token["logprobs"]
    return event


def texts_of(events: Iterable[Event]) -> Iterator[str]:
    """The text of the first returned sequence in pieces.

    Raises RunFailed when the run fails, and StreamInterrupted when generation restarts after text was returned.
    """
    has_text = False
    for event in events:
        if event.run is not None:
            event.run.raise_for_state()
            if has_text and not event.run.has_ended:
                message = "the run restarted after text was returned; read the events, or wait for its end"
                raise StreamInterrupted(message, code="generation_restarted", run_id=event.run.get("id"))
        elif event.text and event.index == 0:
            has_text = True
            yield event.text
