/**
 * multipart/form-data (RFC 7578) of a body that is already in memory and bounded. Strict, as the bodies of the
 * clients are known: no preamble, CRLF line ends, every part has a name.
 */
import { ApiError } from '@gptj-cloud/protocol';

export interface Part {
  readonly name: string;
  /** Null for a plain field. */
  readonly filename: string | null;
  /** A view into the body. */
  readonly bytes: Uint8Array;
}

const MAX_PARTS = 64;
const MAX_HEADER_BYTES = 8192;
const CRLF = Buffer.from('\r\n');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/** The parts in the order of the body. Throws `invalid_multipart`. */
export function parseMultipart(body: Uint8Array, contentType: string): readonly Part[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`\r\n--${parseBoundary(contentType)}`, 'latin1');
  const parts: Part[] = [];
  // The first delimiter has no line end before it.
  if (!bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2))) {
    throw refuse('expected it to start with the boundary');
  }
  let at = delimiter.length - 2;
  for (;;) {
    if (bytes.subarray(at, at + 2).toString('latin1') === '--') return parts;
    // Blanks may pad the delimiter's line.
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
    if (!bytes.subarray(at, at + 2).equals(CRLF)) throw refuse('expected a line end after the boundary');
    if (parts.length === MAX_PARTS) throw refuse(`expected at most ${MAX_PARTS} parts`);
    const headersEnd = bytes.subarray(at, at + MAX_HEADER_BYTES).indexOf(END_OF_HEADERS);
    if (headersEnd < 0) throw refuse(`expected the headers of a part to end within ${MAX_HEADER_BYTES} bytes`);
    const headers = bytes.subarray(at + 2, at + headersEnd).toString('utf8');
    const from = at + headersEnd + END_OF_HEADERS.length;
    // An empty part's blank line is the line end of the delimiter that follows.
    const to = bytes.indexOf(delimiter, from - 2);
    if (to < 0) throw refuse('expected a boundary after the last part');
    parts.push({ ...parseDisposition(headers), bytes: bytes.subarray(from, Math.max(from, to)) });
    at = to + delimiter.length;
  }
}

/** The part with that name. Throws `invalid_multipart` for none and for several. */
export function onePart(parts: readonly Part[], name: string): Part {
  const found = parts.filter((part) => part.name === name);
  if (found.length > 1) throw refuse(`expected one part named "${name}", got ${found.length}`);
  const [part] = found;
  if (part !== undefined) return part;
  const names = parts.map((other) => JSON.stringify(other.name.slice(0, 40))).join(', ');
  throw refuse(`expected a part named "${name}", got ${names === '' ? 'none' : names}`);
}

function parseBoundary(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]*)"|([^\s;,"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? '';
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) {
    throw refuse('expected a boundary of 1 to 70 characters in Content-Type');
  }
  return boundary;
}

function parseDisposition(headers: string): Pick<Part, 'name' | 'filename'> {
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
