/**
 * One part of multipart/form-data (RFC 7578), read as the client sends it, so that no body is held whole. Strict, as the
 * bodies of the clients are known: no preamble, CRLF line ends, every part has a name.
 */
import { ApiError } from '@gptj-cloud/protocol';

export interface PartHead {
  readonly name: string;
  /** Null for a plain field. */
  readonly filename: string | null;
}

export interface Part extends PartHead {
  /**
   * The bytes of the part, once. The body is read to its end before the last one is done: throws `invalid_multipart` for
   * a second part of the name and for a body that does not end well, and what `next` throws.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the body that are not of the part, at least. */
  readonly otherBytes: number;
}

const MAX_PARTS = 64;
const MAX_HEADER_BYTES = 8192;
const CRLF = Buffer.from('\r\n');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const CLOSE = Buffer.from('--');

/**
 * Read up to the part with that name; parts before and after it are passed over.
 *
 * @param next the next chunk of the body, null at its end
 * Throws `invalid_multipart` when there is no such part, and what `next` throws.
 */
export async function openPart(
  next: () => Promise<Uint8Array | null>,
  contentType: string,
  name: string,
): Promise<Part> {
  const delimiter = Buffer.from(`\r\n--${parseBoundary(contentType)}`, 'latin1');
  const window = new Window(next);
  const first = delimiter.subarray(CRLF.length);
  // The first delimiter has no line end before it.
  if (!(await window.startsWith(first))) throw refuse('expected it to start with the boundary');
  window.skip(first.length);
  let count = 0;
  const nextHead = async (): Promise<PartHead | null> => {
    if (await window.startsWith(CLOSE)) return null;
    if (count++ === MAX_PARTS) throw refuse(`expected at most ${MAX_PARTS} parts`);
    return await readHead(window);
  };
  const others: string[] = [];
  for (let head = await nextHead(); head !== null; head = await nextHead()) {
    if (head.name === name) {
      const otherBytes = window.passed + CRLF.length + delimiter.length + CLOSE.length;
      return { ...head, bytes: rest(), otherBytes };
    }
    others.push(JSON.stringify(head.name.slice(0, 40)));
    for await (const _ of bytesOfPart(window, delimiter));
  }
  throw refuse(`expected a part named "${name}", got ${others.length === 0 ? 'none' : others.join(', ')}`);

  async function* rest(): AsyncGenerator<Uint8Array> {
    yield* bytesOfPart(window, delimiter);
    let found = 1;
    for (let head = await nextHead(); head !== null; head = await nextHead()) {
      if (head.name === name) found++;
      for await (const _ of bytesOfPart(window, delimiter));
    }
    if (found > 1) throw refuse(`expected one part named "${name}", got ${found}`);
    await window.drain();
  }
}

/** What has been read of the body and not been passed yet: a chunk, or as much as the longest search needs. */
class Window {
  readonly #next: () => Promise<Uint8Array | null>;
  bytes: Buffer = Buffer.alloc(0);
  /** Bytes of the body before the window. */
  passed = 0;

  constructor(next: () => Promise<Uint8Array | null>) {
    this.#next = next;
  }

  /** Read another chunk; false at the end of the body. */
  async more(): Promise<boolean> {
    const chunk = await this.#next();
    if (chunk === null) return false;
    const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.bytes = this.bytes.length === 0 ? added : Buffer.concat([this.bytes, added]);
    return true;
  }

  async startsWith(text: Uint8Array): Promise<boolean> {
    while (this.bytes.length < text.length) if (!(await this.more())) return false;
    return this.bytes.subarray(0, text.length).equals(text);
  }

  skip(count: number): void {
    this.bytes = this.bytes.subarray(count);
    this.passed += count;
  }

  take(count: number): Uint8Array {
    const taken = this.bytes.subarray(0, count);
    this.skip(count);
    return taken;
  }

  async drain(): Promise<void> {
    do this.skip(this.bytes.length);
    while (await this.more());
  }
}

/** The headers of a part, after its delimiter, up to the line end before its first byte. */
async function readHead(window: Window): Promise<PartHead> {
  // Blanks may pad the delimiter's line.
  let padding = 0;
  for (;;) {
    while (window.bytes[padding] === 0x20 || window.bytes[padding] === 0x09) padding++;
    if (padding > MAX_HEADER_BYTES) throw refuse('expected a line end after the boundary');
    if (padding < window.bytes.length || !(await window.more())) break;
  }
  window.skip(padding);
  if (!(await window.startsWith(CRLF))) throw refuse('expected a line end after the boundary');
  for (;;) {
    const end = window.bytes.subarray(0, MAX_HEADER_BYTES).indexOf(END_OF_HEADERS);
    if (end >= 0) {
      const headers = window.bytes.subarray(CRLF.length, end).toString('utf8');
      // The line end of an empty part is that of the delimiter that follows.
      window.skip(end + CRLF.length);
      return parseDisposition(headers);
    }
    if (window.bytes.length >= MAX_HEADER_BYTES || !(await window.more())) {
      throw refuse(`expected the headers of a part to end within ${MAX_HEADER_BYTES} bytes`);
    }
  }
}

/** The bytes of a part from the line end before them to the delimiter after them, which is passed. */
async function* bytesOfPart(window: Window, delimiter: Buffer): AsyncGenerator<Uint8Array> {
  if (await window.startsWith(delimiter)) return window.skip(delimiter.length);
  window.skip(CRLF.length);
  for (;;) {
    const at = window.bytes.indexOf(delimiter);
    // The end of the window may be the beginning of the delimiter.
    const length = at >= 0 ? at : window.bytes.length - delimiter.length + 1;
    if (length > 0) yield window.take(length);
    if (at >= 0) return window.skip(delimiter.length);
    if (!(await window.more())) throw refuse('expected a boundary after the last part');
  }
}

function parseBoundary(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]*)"|([^\s;,"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? '';
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) {
    throw refuse('expected a boundary of 1 to 70 characters in Content-Type');
  }
  return boundary;
}

function parseDisposition(headers: string): PartHead {
  const line = headers.split('\r\n').find((header) => /^content-disposition:/i.test(header));
  if (line === undefined || !/^content-disposition:\s*form-data\s*(;|$)/i.test(line)) {
    throw refuse('expected every part to have Content-Disposition: form-data');
  }
  const name = parameter(line, 'name');
  if (name === null) throw refuse('expected every part to have a name');
  return { name, filename: parameter(line, 'filename') ?? extendedParameter(line, 'filename') };
}

/** `key="value"` with backslash escapes, or `key=value`. */
function parameter(line: string, key: string): string | null {
  const match = new RegExp(`;\\s*${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, 'i').exec(line);
  return match === null ? null : (match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? null);
}

/** `key*=utf-8''percent-encoded`, which requests sends for names beyond ASCII. */
function extendedParameter(line: string, key: string): string | null {
  const encoded = new RegExp(`;\\s*${key}\\*=utf-8'[^']*'([^\\s;]*)`, 'i').exec(line)?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function refuse(reason: string): ApiError {
  return new ApiError('invalid_multipart', { reason });
}
