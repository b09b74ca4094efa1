/** A connection of node-postgres to the thread of the embedded store: what it writes are packets, what it reads their answers. */
import { Duplex } from 'node:stream';

/** The thread as a connection sees it. */
export interface PacketService {
  /** Resolves when packets are answered; rejects when the store is not open. */
  connect(): Promise<void>;
  /** Resolves to the answer; rejects when the thread ends. */
  ask(packet: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

/** The type of the packet with which a client says goodbye; PGlite has no answer to it. */
const TERMINATE = 'X'.charCodeAt(0);

export class WorkerSocket extends Duplex {
  readonly #service: PacketService;

  constructor(service: PacketService) {
    super({ allowHalfOpen: false, emitClose: true });
    this.#service = service;
  }

  connect(): this {
    this.#service.connect().then(
      () => this.emit('connect'),
      (error: unknown) => this.destroy(asError(error)),
    );
    return this;
  }

  /** Node-postgres sets options of TCP. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error) => void): void {
    this.#send([chunk], chunk.length, done);
  }

  /** The messages of one query arrive together, as node-postgres corks them. */
  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error) => void): void {
    const parts = chunks.map(({ chunk }) => chunk);
    this.#send(
      parts,
      parts.reduce((sum, part) => sum + part.length, 0),
      done,
    );
  }

  override _final(done: (error?: Error) => void): void {
    this.push(null);
    done();
  }

  #send(parts: readonly Uint8Array[], length: number, done: (error?: Error) => void): void {
    // Memory of its own: it is moved to the thread.
    const packet = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      packet.set(part, at);
      at += part.length;
    }
    if (packet[0] === TERMINATE) {
      done();
      return;
    }
    this.#service.ask(packet).then(
      (answer) => {
        if (answer.length > 0 && !this.destroyed && !this.readableEnded) this.push(answer);
      },
      (error: unknown) => this.destroy(asError(error)),
    );
    done();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
