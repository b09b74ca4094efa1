/** Reads server-sent events as `http/event-stream.ts` writes them: one line a field, an empty line after each event. */

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Characters; the run of a final event has its result's preview. */
const MAX_EVENT_LENGTH = 16 * 2 ** 20;

/** The events of a body, without comments. Throws `RangeError` for an event that is too long. An unfinished one is dropped. */
export async function* readServerEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReceivedEvent, void, undefined> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  let length = 0;
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true });
    length += text.length;
    if (length > MAX_EVENT_LENGTH) throw new RangeError(`expected events of up to ${MAX_EVENT_LENGTH} characters`);
    parts.push(text);
    // The break may be split between pieces. Text without any break is joined once, when its break comes.
    if (!text.includes('\n')) continue;
    const blocks = parts.join('').split('\n\n');
    const rest = blocks.pop() ?? '';
    parts = [rest];
    length = rest.length;
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== null) yield event;
    }
  }
}

/** Null for a comment. */
function parseBlock(block: string): ReceivedEvent | null {
  const fields = { id: '', event: '', data: '' };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(': ');
    const name = line.slice(0, colon);
    if (name === 'id' || name === 'event' || name === 'data') fields[name] = line.slice(colon + 2);
  }
  return fields.data === '' ? null : fields;
}
