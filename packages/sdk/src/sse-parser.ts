/**
 * Parses server-sent events from text in pieces (WHATWG HTML, section 9.2.6).
 *
 * States: between events, or within an event, whose lines so far are kept. Invariant: at most `maxEventChars` characters of an
 * unfinished event and its unfinished line are buffered; more is an error. Time is linear in the text.
 */
import { UnexpectedReplyError } from './errors.ts';

export interface SseEvent {
  /** Id of the event, or the last one before it; empty when there was none. */
  readonly id: string;
  /** Default `message`. */
  readonly type: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that end within this piece. Throws `UnexpectedReplyError` for an event that is too large. */
  push(text: string): readonly SseEvent[];
}

/** 16 Mi characters: far above any result, and small enough for any client. */
const MAX_EVENT_CHARS: number = 16 * 1024 * 1024;

/** `TextDecoder` has removed a byte order mark. An unfinished event at the end of the stream is dropped, as the standard requires. */
export function createSseParser(maxEventChars: number = MAX_EVENT_CHARS): SseParser {
  let afterReturn = false;
  let line = '';
  let id = '';
  let type = '';
  let data: string[] = [];
  let kept = 0;

  const keep = (chars: number): void => {
    kept += chars;
    if (kept > maxEventChars) throw new UnexpectedReplyError(`expected events of up to ${maxEventChars} characters`);
  };
  const endLine = (events: SseEvent[]): void => {
    const whole = line;
    line = '';
    if (whole === '') {
      if (data.length > 0) events.push({ id, type: type === '' ? 'message' : type, data: data.join('\n') });
      type = '';
      data = [];
      kept = 0;
      return;
    }
    const colon = whole.indexOf(':');
    const field = colon < 0 ? whole : whole.slice(0, colon);
    const value = colon < 0 ? '' : whole.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else {
      // Comments keep a connection open for hours: they do not count.
      kept -= whole.length;
      if (field === 'event') {
        kept += value.length - type.length;
        type = value;
      } else if (field === 'id' && !value.includes('\0')) id = value;
    }
  };

  return {
    push(text) {
      const events: SseEvent[] = [];
      let start = 0;
      // A line break of two characters may be split between pieces.
      if (afterReturn && text.startsWith('\n')) start = 1;
      if (text !== '') afterReturn = text.endsWith('\r');
      const breaks = /\r\n?|\n/g;
      breaks.lastIndex = start;
      for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
        keep(found.index - start);
        line += text.slice(start, found.index);
        start = breaks.lastIndex;
        endLine(events);
      }
      keep(text.length - start);
      line += text.slice(start);
      return events;
    },
  };
}
