/** Takes exact numbers of bytes from a stream of chunks. */
export class ByteQueue {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #taken = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Number of bytes taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** The next `count` bytes; fewer at the end of the stream. */
  async take(count: number): Promise<Uint8Array> {
    const first = await this.some(count);
    if (first.byteLength === count) return first;
    const bytes = new Uint8Array(count);
    bytes.set(first);
    let done = first.byteLength;
    while (done < count) {
      const more = await this.some(count - done);
      if (more.byteLength === 0) return bytes.subarray(0, done);
      bytes.set(more, done);
      done += more.byteLength;
    }
    return bytes;
  }

  /** One to `maxBytes` bytes as they come; none at the end of the stream. */
  async some(maxBytes: number): Promise<Uint8Array> {
    while (this.#chunk.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return this.#chunk;
      this.#chunk = next.value;
    }
    const bytes = this.#chunk.subarray(0, maxBytes);
    this.#chunk = this.#chunk.subarray(bytes.byteLength);
    this.#taken += bytes.byteLength;
    return bytes;
  }

  /** Give up the stream. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
