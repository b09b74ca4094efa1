import { cut } from './http.ts';
import { RemoteFailure } from './remote-failure.ts';

/** One event holds a step of a generation, or the echo of a context. */
const MAX_LINE = 64 * 2 ** 20;

/** The data of each event of a stream. Throws `RemoteFailure`: `cut` when the connection breaks, `broken` for endless lines. */
export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  let data: string[] = [];
  const take = function* (text: string): Generator<string> {
    const parts = text.split(/\r\n|\n|\r/);
    for (const [at, part] of parts.entries()) {
      line += part;
      if (line.length > MAX_LINE) throw new RemoteFailure('broken', `expected lines of at most ${MAX_LINE} characters`);
      if (at === parts.length - 1) break;
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
      line = '';
    }
  };
  const chunks = body[Symbol.asyncIterator]();
  // A CR at the end of a chunk may be half of a line end.
  let held = '';
  for (;;) {
    const next = await chunks.next().catch((error: unknown) => {
      throw cut(error);
    });
    if (next.done === true) break;
    const text = held + decoder.decode(next.value, { stream: true });
    held = text.endsWith('\r') ? '\r' : '';
    yield* take(held === '' ? text : text.slice(0, -1));
  }
  yield* take(held);
  // An event without the blank line after it is not complete.
}
