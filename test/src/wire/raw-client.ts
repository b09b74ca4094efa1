import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { RecordedRequest } from './recording.ts';

export interface RawReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Without its coding. */
  readonly body: Buffer;
}

/** HTTP/1.1 over one raw keep-alive connection, so that recorded bytes are sent unchanged. */
export class RawClient {
  readonly #socket: Socket;
  readonly #port: number;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      socket.emit('progress');
    });
    socket.on('close', () => {
      this.#ended = true;
      socket.emit('progress');
    });
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket, port);
  }

  /** Send a recorded request with another host and body; resolves to the complete reply. */
  async send(request: RecordedRequest, body: Buffer = request.body): Promise<RawReply> {
    const lines = request.headers.map(([name, value]) => {
      switch (name.toLowerCase()) {
        case 'host':
          return `${name}: 127.0.0.1:${this.#port}`;
        case 'content-length':
          return `${name}: ${body.length}`;
        default:
          return `${name}: ${value}`;
      }
    });
    const head = [`${request.method} ${request.target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
    this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    return await this.#reply();
  }

  close(): void {
    this.#socket.destroy();
  }

  async #reply(): Promise<RawReply> {
    const head = (await this.#until('\r\n\r\n')).toString('latin1');
    const [first = '', ...lines] = head.split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const status = Number(first.split(' ')[1]);
    const chunked = headers.get('transfer-encoding') === 'chunked';
    const body = chunked ? await this.#chunks() : await this.#take(Number(headers.get('content-length') ?? 0));
    // The recorded clients name gzip, and read it as this does.
    return { status, headers, body: headers.get('content-encoding') === 'gzip' ? gunzipSync(body) : body };
  }

  async #chunks(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt((await this.#until('\r\n')).toString('latin1'), 16);
      chunks.push(await this.#take(size));
      await this.#take(2);
      if (size === 0) return Buffer.concat(chunks);
    }
  }

  /** The bytes before a mark; consumes the mark too. */
  async #until(mark: string): Promise<Buffer> {
    await this.#wait(() => this.#received.includes(mark));
    const before = await this.#take(this.#received.indexOf(mark));
    await this.#take(mark.length);
    return before;
  }

  async #take(size: number): Promise<Buffer> {
    await this.#wait(() => this.#received.length >= size);
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }

  async #wait(enough: () => boolean): Promise<void> {
    while (!enough()) {
      if (this.#ended) throw new Error(`the server closed the connection after ${this.#received.length} bytes`);
      await once(this.#socket, 'progress');
    }
  }
}
