/** A file at an address: its size and hash, and ranges of its bytes, wherever redirects lead. */
import { ModelStoreError } from '../model-store-error.ts';
import { Backoff, type BackoffOptions, retrying, TransientError } from './backoff.ts';
import { get, type HttpOptions, RefusedError, type Reply, withoutQuery } from './http.ts';

/** `git`: the SHA-1 of the file as a blob of git, the ETag that a hub gives small files. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'git';
  readonly hex: string;
}

export interface FileFacts {
  /** Null: the server does not say. */
  readonly sizeBytes: number | null;
  readonly checksum: Checksum | null;
  /** Of the storage; changes when the file does. */
  readonly etag: string | null;
  /** Whether the server sends parts of the file. */
  readonly hasRanges: boolean;
}

/** A piece of the file. Breaking off the iteration ends the connection. */
export interface ByteStream {
  /** Position of the first byte. */
  readonly offset: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

const LINKED_SHA256 = /^"?([0-9a-f]{64})"?$/;
const GIT_SHA1 = /^(?:W\/)?"([0-9a-f]{40})"$/;

export class RemoteFile {
  readonly url: string;
  readonly #http: HttpOptions;
  readonly #signal: AbortSignal;
  /** The storage behind the redirects; null: to be asked for. */
  #location: string | null = null;
  #facts: FileFacts | null = null;

  constructor(http: HttpOptions, url: string, signal: AbortSignal) {
    this.#http = http;
    this.url = url;
    this.#signal = signal;
  }

  /** Throws `ModelStoreError`. */
  async facts(): Promise<FileFacts> {
    this.#facts ??= await retrying(this.#backoff(), async () => {
      const reply = await this.#get(this.url, 'bytes=0-0');
      reply.close();
      return readFacts(this.url, reply);
    });
    return this.#facts;
  }

  /** Counts the failures of one connection. */
  backoff(): Backoff {
    return new Backoff(this.#backoff());
  }

  /**
   * Bytes from `start` to before `end`, or from the start of the file where the server has no ranges. Throws
   * `TransientError` for what may succeed later, else `ModelStoreError`.
   */
  async open(start: number, end: number): Promise<ByteStream> {
    const { hasRanges, sizeBytes } = await this.facts();
    if (!hasRanges) {
      const reply = await this.#get(this.url, null);
      return { offset: 0, pieces: piecesOf(reply, sizeBytes ?? Number.POSITIVE_INFINITY) };
    }
    const range = `bytes=${start}-${end - 1}`;
    const reply = await this.#getStored(range);
    try {
      this.#checkRange(reply, start);
    } catch (error) {
      reply.close();
      throw error;
    }
    return { offset: start, pieces: piecesOf(reply, end - start) };
  }

  /** From the storage that is known, or a new link to it. */
  async #getStored(range: string): Promise<Reply> {
    const location = this.#location;
    if (location === null) return await this.#get(this.url, range);
    try {
      return await get(this.#http, location, { range }, this.#signal);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // Another connection may have a new link already.
      if (this.#location === location) this.#location = null;
      return await this.#get(this.url, range);
    }
  }

  async #get(url: string, range: string | null): Promise<Reply> {
    try {
      const reply = await get(this.#http, url, range === null ? {} : { range }, this.#signal);
      if (range !== null) this.#location = reply.url;
      return reply;
    } catch (error) {
      if (!(error instanceof RefusedError && error.isDirect)) throw error;
      throw new ModelStoreError(
        'not_allowed',
        `${error.message}: expected a public file, or a token in HF_TOKEN that may read it (accept the terms of the model on its page first)`,
        { cause: error },
      );
    }
  }

  #checkRange(reply: Reply, start: number): void {
    const facts = this.#facts;
    const got = readContentRange(reply.lastHeader('content-range'));
    if (reply.status !== 206 || got === null || got.start !== start || got.size !== facts?.sizeBytes) {
      const shown = reply.lastHeader('content-range')?.slice(0, 80) ?? `status ${reply.status}`;
      throw new TransientError(
        `${withoutQuery(this.url)}: expected bytes from ${start} on of ${facts?.sizeBytes}, got ${shown}`,
      );
    }
    const etag = reply.lastHeader('etag');
    if (facts.checksum === null && facts.etag !== null && etag !== null && etag !== facts.etag) {
      throw new ModelStoreError(
        'changed',
        `${withoutQuery(this.url)}: the file has changed since the download began; repeat the command, which begins again`,
      );
    }
  }

  #backoff(): BackoffOptions {
    const { clock, onWait } = this.#http;
    return { clock, signal: this.#signal, what: withoutQuery(this.url), onWait };
  }
}

function readFacts(url: string, { status, lastHeader, header }: Reply): FileFacts {
  const range = readContentRange(lastHeader('content-range'));
  const hasRanges = status === 206 && range !== null && range.size !== null;
  const ownSize = hasRanges ? range.size : readSize(lastHeader('content-length'));
  const linkedSize = readSize(header('x-linked-size'));
  if (linkedSize !== null && ownSize !== null && linkedSize !== ownSize) {
    throw new ModelStoreError(
      'reply_invalid',
      `${withoutQuery(url)}: expected ${linkedSize} bytes, as the hub says, got a file of ${ownSize}`,
    );
  }
  const sha256 = LINKED_SHA256.exec(header('x-linked-etag') ?? '')?.[1];
  const git = GIT_SHA1.exec(header('etag') ?? '')?.[1];
  const isOfHub = header('x-repo-commit') !== null;
  return {
    sizeBytes: ownSize ?? linkedSize,
    checksum:
      sha256 !== undefined
        ? { algorithm: 'sha256', hex: sha256 }
        : git !== undefined && isOfHub
          ? { algorithm: 'git', hex: git }
          : null,
    etag: lastHeader('etag'),
    hasRanges,
  };
}

interface ContentRange {
  readonly start: number;
  /** Of the whole file. */
  readonly size: number | null;
}

function readContentRange(text: string | null): ContentRange | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text ?? '');
  if (match === null) return null;
  return { start: Number(match[1]), size: match[3] === '*' ? null : Number(match[3]) };
}

function readSize(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** The body, at most `maxBytes` of it. A body that ends early just ends: the reader counts. */
async function* piecesOf({ read, close }: Reply, maxBytes: number): AsyncIterable<Uint8Array> {
  let left = maxBytes;
  try {
    while (left > 0) {
      const piece = await read();
      if (piece === null) return;
      const kept = piece.subarray(0, left);
      left -= kept.byteLength;
      yield kept;
    }
  } finally {
    close();
  }
}
