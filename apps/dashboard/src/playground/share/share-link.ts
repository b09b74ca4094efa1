/**
 * The text and its parameters as a part of a link, deflated, in base64url. It stands behind `#`, so that browsers do not send
 * it to any server.
 */
import type { Parameters } from '../document/draft.ts';
import type { Passage } from '../document/imported.ts';

export interface SharedText {
  readonly passages: readonly Passage[];
  readonly parameters: Parameters;
}

/** Browsers and messengers cut longer links. */
const MAX_LINK_LETTERS = 32_000;
/** A short link can hold a long text of one letter; a page that opens it must stay quick. */
const MAX_TEXT_BYTES = 1_000_000;
const VERSION = 1;

/** A link that cannot be made or read; the message says why and what to do. */
export class ShareLinkError extends Error {
  override readonly name = 'ShareLinkError';
}

/** Throws `ShareLinkError` for a text that is too long for a link. */
export async function packShared({ passages, parameters }: SharedText): Promise<string> {
  const value = [VERSION, passages.map(({ kind, text }) => [kind === 'typed' ? 't' : 'g', text]), parameters];
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  if (bytes.length > MAX_TEXT_BYTES) throw tooLong();
  const packed = toBase64Url(await transform(bytes, new CompressionStream('deflate-raw'), MAX_TEXT_BYTES));
  if (packed.length > MAX_LINK_LETTERS) throw tooLong();
  return packed;
}

/** Throws `ShareLinkError` for a damaged link, and for one of a later version. */
export async function unpackShared(packed: string): Promise<SharedText> {
  if (packed.length > MAX_LINK_LETTERS) throw new ShareLinkError('This link is too long to be opened.');
  let value: unknown;
  try {
    const bytes = await transform(fromBase64Url(packed), new DecompressionStream('deflate-raw'), MAX_TEXT_BYTES);
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw damaged();
  }
  if (!Array.isArray(value)) throw damaged();
  const [version, passages, parameters]: readonly unknown[] = value;
  if (version !== VERSION) {
    throw new ShareLinkError('This link was made by another version of the playground. Ask for a new one.');
  }
  if (!Array.isArray(passages) || typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw damaged();
  }
  return { passages: passages.map(readPassage), parameters: { ...parameters } };
}

function readPassage(value: unknown): Passage {
  const [kind, text]: readonly unknown[] = Array.isArray(value) ? value : [];
  if ((kind !== 't' && kind !== 'g') || typeof text !== 'string') throw damaged();
  return { kind: kind === 't' ? 'typed' : 'generated', text };
}

function damaged(): ShareLinkError {
  return new ShareLinkError('This link is damaged or incomplete. Copy it again, whole, from where it was shared.');
}

function tooLong(): ShareLinkError {
  return new ShareLinkError('This text is too long for a link. Share the run instead, or a shorter part of the text.');
}

/** Throws `RangeError` for a result of more than `maxBytes`. */
async function transform(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new RangeError(`expected at most ${maxBytes} bytes`);
    }
    chunks.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function toBase64Url(bytes: Uint8Array): string {
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Throws `DOMException` for letters that are not base64url. */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
