import { type ConnectionOptions, PipelineCloud, type SessionOptions } from '../index.ts';

export const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';

/** A run in the form of the API. */
export const RUN: Readonly<Record<string, unknown>> = {
  id: 'run_1',
  created_at: 1648000000.5,
  started_at: 1648000001,
  ended_at: null,
  run_state: 'complete',
  runnable: { id: PIPELINE, name: 'gpt-j-6b', type: 'pipeline' },
  data: { id: 'data_1' },
  compute_time_ms: 1500,
  result: { id: 'file_1', name: 'result', path: 'object_1', file_size: 32 },
  result_preview: [['two vast and trunkless legs']],
  error: null,
  error_info: null,
};

export const FAILED: Readonly<Record<string, unknown>> = {
  ...RUN,
  run_state: 'failed',
  result: null,
  result_preview: null,
  error: 'pipeline_fault',
  error_info: { exception: 'Prompt must be a non-empty string.', traceback: '' },
};

export const RUNNING: Readonly<Record<string, unknown>> = {
  ...RUN,
  run_state: 'running',
  result: null,
  result_preview: null,
};

/** A recorded request. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly init: RequestInit;
}

export interface Stub {
  readonly api: PipelineCloud;
  readonly sent: Sent[];
}

/** A client whose server is a function; without retries unless `options` set them. */
export function stub(
  reply: (sent: Sent, count: number) => Response | Promise<Response>,
  options: ConnectionOptions | SessionOptions = {},
): Stub {
  const sent: Sent[] = [];
  const common: ConnectionOptions = {
    url: 'http://host:1/base/',
    timeoutMs: null,
    maxRetries: 0,
    fetch: async (input, init = {}) => {
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
      const headers = new Headers(init.headers);
      const request = { method: init.method ?? 'GET', url: String(input), headers, body, init };
      sent.push(request);
      return reply(request, sent.length - 1);
    },
  };
  const api = new PipelineCloud(
    'session' in options ? { ...common, ...options } : { ...common, token: 'API_TOKEN', ...options },
  );
  return { api, sent };
}

/** Replies to every request with one JSON value, or with a string unchanged. */
export function replying(body: unknown, init?: ResponseInit): Stub {
  return stub(() => new Response(typeof body === 'string' ? body : JSON.stringify(body), init));
}

/** A stream of events in the server's format; `isCut` breaks the connection after the last one. */
export function eventStream(
  events: readonly (readonly [id: string, type: string, data: unknown])[],
  options: { readonly isCut?: boolean; readonly onCancel?: () => void } = {},
): Response {
  const encoder = new TextEncoder();
  const left = [...events];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const event = left.shift();
      if (event !== undefined) {
        const [id, type, data] = event;
        controller.enqueue(encoder.encode(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`));
      } else if (options.isCut) controller.error(new TypeError('terminated'));
      else controller.close();
    },
    cancel: () => options.onCancel?.(),
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}
