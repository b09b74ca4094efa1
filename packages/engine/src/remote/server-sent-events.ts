import { cut } from './http.ts';
import { RemoteFailure } from './remote-failure.ts';

/** Characters of one event, which holds a step of a generation, or the echo of a context. */
const MAX_EVENT = 64 * 2 ** 20;

/** The data of each event of a stream. Throws `RemoteFailure`: `cut` when the connection breaks, `broken` for endless events. */
export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  let data: string[] = [];
  /** Characters of the lines in `data`. */
  let held = 0;
  const take = function* (text: string): Generator<string> {
    const parts = text.split(/\r\n|\n|\r/);
    for (const [at, part] of parts.entries()) {
      line += part;
      if (held + line.length > MAX_EVENT) {
        throw new RemoteFailure('broken', `expected events of at most ${MAX_EVENT} characters`);
      }
      if (at === parts.length - 1) break;
      if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5));
        held += line.length;
      } else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
        held = 0;
      }
      line = '';
    }
  };
  const chunks = body[Symbol.asyncIterator]();
  // A CR at the end of a chunk may be half of a line end.
  let rest = '';
  for (;;) {
    const next = await chunks.next().catch((error: unknown) => {
      throw cut(error);
    });
    if (next.done === true) break;
    const text = rest + decoder.decode(next.value, { stream: true });
    rest = text.endsWith('\r') ? '\r' : '';
    yield* take(rest === '' ? text : text.slice(0, -1));
  }
  yield* take(rest);
  // An event without the blank line after it is not complete.
}
