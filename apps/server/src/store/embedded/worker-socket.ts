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
  /** Messages that the next packet carries. */
  #unsent: Uint8Array[] = [];

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
    this.#add([chunk], done);
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error) => void): void {
    this.#add(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error) => void): void {
    this.push(null);
    done();
  }

  /** Statements that are written before the event loop goes on travel in one packet: a packet wakes two threads. */
  #add(messages: readonly Uint8Array[], done: () => void): void {
    if (this.#unsent.length === 0) process.nextTick(() => this.#send());
    this.#unsent.push(...messages);
    done();
  }

  #send(): void {
    const messages = this.#unsent.filter((message) => message[0] !== TERMINATE);
    this.#unsent = [];
    if (this.destroyed || messages.length === 0) return;
    // Memory of its own: it is moved to the thread.
    const packet = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const message of messages) {
      packet.set(message, at);
      at += message.length;
    }
    this.#service.ask(packet).then(
      (answer) => {
        if (answer.length > 0 && !this.destroyed && !this.readableEnded) this.push(answer);
      },
      (error: unknown) => this.destroy(asError(error)),
    );
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
