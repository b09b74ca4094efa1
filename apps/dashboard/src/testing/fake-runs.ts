/** A server on loopback that answers `/v2/runs` as a test scripts it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeConnection {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Send an event; the number is its id. */
  event(id: number, type: 'run' | 'token' | 'beams' | 'error', data: object): void;
  /** End the reply in order. */
  end(): void;
  /** Break the connection. */
  break(): void;
  /** Reply with JSON. */
  json(status: number, body: object): void;
}

export interface FakeRuns {
  readonly url: string;
  /** The next request that no test has taken. */
  next(): Promise<FakeConnection>;
  close(): Promise<void>;
}

export async function startFakeRuns(): Promise<FakeRuns> {
  const arrived: FakeConnection[] = [];
  const waiting: ((connection: FakeConnection) => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const connection = connectionOf(request, response, body);
      const take = waiting.shift();
      if (take === undefined) arrived.push(connection);
      else take(connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    next: async () => arrived.shift() ?? (await new Promise((resolve) => waiting.push(resolve))),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function connectionOf(request: IncomingMessage, response: ServerResponse, body: string): FakeConnection {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    event(id, type, data) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`id: p-${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    end: () => response.end(),
    break: () => response.destroy(),
    json(status, value) {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    },
  };
}

/** A run as the API writes it. */
export function runJson(id: string, state: string, more: object = {}): object {
  return {
    id,
    created_at: '2026-11-27T10:00:00Z',
    run_state: state,
    runnable: { id: 'pipeline_1', name: 'GPT-J 6B' },
    ...more,
  };
}

/** A token event with a log-probability. */
export function tokenJson(token: number, text: string): object {
  return { index: 0, text, tokens: [token], logprobs: [{ token, text, logprob: -1, top: [[token, -1, text]] }] };
}
