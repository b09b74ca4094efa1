/** Requests that are almost valid HTTP, from a seed, and a client that sends them and waits for the replies. */
import { connect } from 'node:net';

export interface FuzzedMessage {
  /** One request, or several without waiting for the replies. */
  readonly bytes: Buffer;
  readonly requests: number;
  /** The client ends the connection in the middle, so that no reply is due. */
  readonly isTruncated: boolean;
}

export interface FuzzRoute {
  readonly method: string;
  /** As in OpenAPI: `/v2/runs/{id}`. */
  readonly path: string;
}

type Random = () => number;

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'BREW',
  'get',
  'PROPFIND',
];
const TYPES = ['application/json', 'text/plain', 'multipart/form-data; boundary=b', 'multipart/form-data', 'x/y', ''];
const ODD_TEXTS = [
  '%00',
  '%',
  '%zz',
  '%C3%28',
  '%25',
  '..',
  '.',
  '//',
  '\\',
  '~',
  '*',
  ' ',
  ';',
  ',',
  '"',
  "'",
  '<script>',
  'é',
  '\u{1f600}',
  '\u0000',
  '\r\n',
  '\u0001',
  '\u007f',
  'a'.repeat(300),
  '/'.repeat(300),
  '-1',
  '1e999',
  'NaN',
  '0x10',
  'null',
  '[]',
  '{}',
  'user_00000000000000000000000000000000',
  'run_ffffffffffffffffffffffffffffffff',
  '__proto__',
  'constructor',
] as const;
const HEADERS = [
  'Accept',
  'Accept-Encoding',
  'Access-Control-Request-Method',
  'Authorization',
  'Connection',
  'Content-Encoding',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'Expect',
  'Host',
  'Idempotency-Key',
  'If-None-Match',
  'Last-Event-ID',
  'Origin',
  'Range',
  'Sec-Fetch-Dest',
  'Sec-Fetch-Site',
  'TE',
  'Transfer-Encoding',
  'Upgrade',
  'X-CSRF-Token',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Project-Id',
  'X-Request-Id',
  'traceparent',
  'tracestate',
] as const;
const BODIES = [
  '{"pipeline_id":"gpt-j:latest","data":["I met",{"response_length":2,"num_beams":2,"stop_strings":["x"]}]}',
  '{"pipeline_id":"gpt-j:latest","async_run":true,"data":["I met",{"response_length":1}]}',
  '{"pipeline_id":"gpt-j:latest","stream":true,"data":["I met",{"response_length":2}]}',
  '{"model":"gpt-j","prompt":["a","b"],"max_tokens":2,"logit_bias":{"5":1},"logprobs":1}',
  '{"inputs":"a","parameters":{"max_new_tokens":2,"details":true,"stop":["x"]}}',
  '{"context":"a","top_p":0.9,"temp":0.8,"response_length":2}',
  '{"login":"percy","password":"Ozymandias1818","code":"000000"}',
  '{"email":"a@example.com","username":"percy","password":"Ozymandias1818"}',
  '{"token":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","password":"Ozymandias1818"}',
  '{"name":"a","scopes":["read"],"expires_at":"2027-01-01T00:00:00Z"}',
  '{"name":"owner/tag:one","pipeline_id":"gpt-j:latest"}',
  '{"url":"https://example.com/hook","events":["run.complete"]}',
  '{"plan_id":"free","email":"a@example.com","role":"owner"}',
  '--b\r\nContent-Disposition: form-data; name="data"; filename="d"\r\n\r\n"text"\r\n--b--\r\n',
  '--b\r\nContent-Disposition: form-data; name="file"; filename="d"\r\n\r\n8004952a\r\n--b--\r\n',
] as const;
const INSERTED = [
  '\u0000',
  '\\u0000',
  '\\ud800',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '-',
  '1e308',
  '9'.repeat(400),
  'true',
  'null',
  '\ufeff',
  '\u2028',
  '[[[[[[[[[[',
  '"a":"a",',
  '\r\n--b\r\n',
  '--b--',
  '\r\n',
] as const;
/** A dump of the store takes seconds and is asked for seldom. */
const SELDOM = 0.02;
const TRUNCATED = 0.08;
const PIPELINED = 0.3;

export function* fuzzMessages(
  routes: readonly FuzzRoute[],
  { seed, token }: { readonly seed: number; readonly token: string },
): Generator<FuzzedMessage, never> {
  const random = mulberry32(seed);
  const pick = <Entry>(list: readonly Entry[]): Entry => list[Math.floor(random() * list.length)] as Entry;
  for (;;) {
    const requests = random() < PIPELINED ? 2 + Math.floor(random() * 4) : 1;
    const parts: Buffer[] = [];
    for (let i = 0; i < requests; i++) {
      let route = pick(routes);
      while (route.path.endsWith('/backup') && random() > SELDOM) route = pick(routes);
      parts.push(fuzzRequest(route, token, i === requests - 1, random, pick));
    }
    const bytes = Buffer.concat(parts);
    const isTruncated = random() < TRUNCATED;
    const kept = isTruncated ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
    yield { bytes: kept, requests, isTruncated };
  }
}

function fuzzRequest(
  { method, path }: FuzzRoute,
  token: string,
  isLast: boolean,
  random: Random,
  pick: <Entry>(list: readonly Entry[]) => Entry,
): Buffer {
  const chance = (share: number): boolean => random() < share;
  const sentMethod = chance(0.1) ? pick(METHODS) : method.toUpperCase();
  let target = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(pick(ODD_TEXTS)));
  if (chance(0.3))
    target += `?${pick(['limit', 'skip', 'order_by', 'return_data', 'pipeline_id', 'a'])}=${pick(ODD_TEXTS)}`;
  if (chance(0.1)) target = insertAt(target, pick(ODD_TEXTS), random);
  const headers: [string, string][] = [['Host', 'localhost']];
  if (chance(0.85)) headers.push(['Authorization', `Bearer ${token}`]);
  let body: Buffer = Buffer.from(['GET', 'HEAD'].includes(sentMethod) && chance(0.9) ? '' : pick(BODIES));
  if (chance(0.6)) body = mutate(body, random, pick);
  if (body.length > 0)
    headers.push(['Content-Type', body.subarray(0, 3).toString() === '--b' ? (TYPES[2] ?? '') : pick(TYPES)]);
  if (isLast) headers.push(['Connection', 'close']);
  if (chance(0.3)) headers.push([pick(HEADERS), chance(0.5) ? pick(ODD_TEXTS) : String(Math.floor(random() * 1e6))]);
  const isChunked = body.length > 0 && chance(0.2);
  if (isChunked) headers.push(['Transfer-Encoding', 'chunked']);
  else if (body.length > 0 || chance(0.1)) headers.push(['Content-Length', String(body.length)]);
  const sent = isChunked
    ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
    : body;
  const version = chance(0.02) ? pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', '']) : 'HTTP/1.1';
  let head = `${sentMethod} ${target} ${version}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n`), sent]);
  return chance(0.05) ? mutate(bytes, random, pick) : bytes;
}

function mutate(bytes: Buffer, random: Random, pick: <Entry>(list: readonly Entry[]) => Entry): Buffer {
  let result: Buffer = bytes;
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const at = Math.floor(random() * (result.length + 1));
    const kind = Math.floor(random() * 4);
    const to = Math.min(result.length, at + 1 + Math.floor(random() * 12));
    const [before, part, after] = [result.subarray(0, at), result.subarray(at, to), result.subarray(to)];
    if (kind === 0) result = Buffer.concat([before, after]);
    else if (kind === 1) result = Buffer.concat([before, part, part, after]);
    else if (kind === 2) result = Buffer.concat([before, Buffer.from(pick(INSERTED)), part, after]);
    else result = Buffer.concat([before, Buffer.from([Math.floor(random() * 256)]), after]);
  }
  return result;
}

function insertAt(text: string, inserted: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  return text.slice(0, at) + inserted + text.slice(at);
}

function mulberry32(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface FuzzReply {
  readonly statuses: readonly number[];
  /** The server neither ended the connection nor sent a byte in time. */
  readonly hung: boolean;
}

/** Send a message on a connection of its own, and wait until the server ends it. */
export function sendFuzzed(port: number, { bytes, isTruncated }: FuzzedMessage, hangMs: number): Promise<FuzzReply> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const statuses: number[] = [];
    let tail = '';
    let hung = false;
    let idle: NodeJS.Timeout | undefined;
    const end = (): void => void socket.destroy();
    const watch = (): void => {
      clearTimeout(idle);
      idle = setTimeout(() => {
        // A client that ends a body early, or asks for less than it sends, waits for the server's own time limit.
        if (statuses.length === 0 && !isTruncated) hung = true;
        end();
      }, hangMs);
    };
    watch();
    socket.on('connect', () => (isTruncated ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk: Buffer) => {
      watch();
      const text = tail + chunk.toString('latin1');
      for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) statuses.push(Number(status));
      // A status line may be split between two chunks; one that is whole is not counted again.
      // A mutated path may lead to a stream of events that does not end.
      if (statuses.length > 0 && text.includes('\n: still here\n')) end();
      tail = text.slice(text.lastIndexOf('\n') + 1);
      if (/HTTP\/1\.1 \d{3} /.test(tail)) tail = '';
    });
    socket.on('error', end);
    socket.on('close', () => {
      clearTimeout(idle);
      resolve({ statuses, hung });
    });
  });
}
