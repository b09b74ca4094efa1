/** A hub and its storage on two ports of this machine, with the faults that real ones have. For tests and trials. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What the storage does to one request. */
export type Fault =
  /** Close the connection after this many bytes. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Send nothing more after this many bytes, and leave the connection open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Flip every bit of the byte at this position of the file. */
  | { readonly kind: 'corrupt'; readonly at: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** State another range than the one that follows. */
  | { readonly kind: 'wrongRange' }
  /** More bytes than asked for. */
  | { readonly kind: 'long' };

export interface StorageRequest {
  readonly file: string;
  /** The first byte that was asked for. */
  readonly start: number;
  readonly end: number;
  /** How many requests for the file came before. */
  readonly count: number;
}

export interface LoopbackHubOptions {
  readonly repository: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Files from this size on are in the storage, as those of Git LFS are. Default 10,000. */
  readonly minLinkedBytes?: number;
  readonly fault?: (request: StorageRequest) => Fault | null;
  /** Requests that a link to the storage is good for. Default: any number. */
  readonly linkUses?: number;
  readonly hasRanges?: boolean;
  /** Pause between two pieces of 64 KiB on one connection. Default 0. */
  readonly paceMs?: number;
  /** Serve over TLS, at the addresses of this host. */
  readonly tls?: { readonly host: string; readonly key: string; readonly cert: string };
  /** A token that every request to the hub needs. */
  readonly token?: string;
  /** Changes the listing before it is sent. */
  readonly listing?: (listing: Record<string, unknown>) => unknown;
}

export interface Served {
  readonly file: string;
  readonly start: number;
  readonly sentBytes: number;
}

export interface LoopbackHub {
  readonly url: string;
  /** Bodies of the storage, in the order of their requests. */
  readonly served: readonly Served[];
  /** Authorization headers that the storage received. */
  readonly storageAuthorizations: readonly string[];
  /** Addresses that the hub was asked for. */
  readonly hubRequests: readonly string[];
  commit: string;
  close(): Promise<void>;
}

const PIECE_BYTES = 64 * 1024;

export async function startLoopbackHub(options: LoopbackHubOptions): Promise<LoopbackHub> {
  const {
    repository,
    files,
    minLinkedBytes = 10_000,
    linkUses = Number.POSITIVE_INFINITY,
    hasRanges = true,
    paceMs = 0,
  } = options;
  const served: { file: string; start: number; sentBytes: number }[] = [];
  const storageAuthorizations: string[] = [];
  const hubRequests: string[] = [];
  const links = new Map<string, number>();
  const counts = new Map<string, number>();
  const hashes = new WeakMap<Uint8Array, string>();
  const sha256 = (bytes: Uint8Array): string => {
    const hash = hashes.get(bytes) ?? createHash('sha256').update(bytes).digest('hex');
    hashes.set(bytes, hash);
    return hash;
  };
  const git = (bytes: Uint8Array): string =>
    createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');

  const onHub = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://hub');
    hubRequests.push(url.pathname);
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      response.writeHead(401).end();
      return;
    }
    if (url.pathname.startsWith(`/api/models/${repository}/revision/`)) {
      const siblings = [...files].map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.byteLength,
        ...(bytes.byteLength >= minLinkedBytes
          ? { lfs: { size: bytes.byteLength, sha256: sha256(bytes) } }
          : { blobId: git(bytes) }),
      }));
      const listing = { sha: hub.commit, siblings };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(options.listing?.(listing) ?? listing));
      return;
    }
    const [, commit, name = ''] = new RegExp(`^/${repository}/resolve/([^/]+)/(.+)$`).exec(url.pathname) ?? [];
    const bytes = files.get(name);
    if (bytes === undefined || commit !== hub.commit) {
      response.writeHead(404).end('Entry not found');
      return;
    }
    response.setHeader('x-repo-commit', hub.commit);
    if (bytes.byteLength < minLinkedBytes) {
      response.setHeader('etag', `"${git(bytes)}"`);
      sendRange(request, response, { bytes, fault: null, hasRanges: true, paceMs: 0 }, () => {});
      return;
    }
    const link = `${links.size + 1}`;
    links.set(link, 0);
    response
      .writeHead(302, {
        location: `${origin(storage)}/${name}?signature=${link}`,
        'x-linked-size': String(bytes.byteLength),
        'x-linked-etag': `"${sha256(bytes)}"`,
      })
      .end();
  };

  const onStorage = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://storage');
    if (request.headers.authorization !== undefined) storageAuthorizations.push(request.headers.authorization);
    const link = url.searchParams.get('signature') ?? '';
    const uses = (links.get(link) ?? Number.POSITIVE_INFINITY) + 1;
    links.set(link, uses);
    const file = url.pathname.slice(1);
    const bytes = files.get(file);
    if (bytes === undefined || uses > linkUses) {
      response.writeHead(403).end('expired');
      return;
    }
    const { start, end } = rangeOf(request, bytes.byteLength);
    const isProbe = end - start <= 1;
    const count = counts.get(file) ?? 0;
    if (!isProbe) counts.set(file, count + 1);
    const fault = isProbe ? null : (options.fault?.({ file, start, end, count }) ?? null);
    const entry = { file, start, sentBytes: 0 };
    if (!isProbe) served.push(entry);
    sendRange(request, response, { bytes, fault, hasRanges, paceMs }, (sent) => {
      entry.sentBytes += sent;
    });
  };

  const { tls } = options;
  const serve = (onRequest: RequestListener): Server =>
    tls === undefined ? createServer(onRequest) : createTlsServer({ key: tls.key, cert: tls.cert }, onRequest);
  const origin = (server: Server): string =>
    `${tls === undefined ? 'http://127.0.0.1' : `https://${tls.host}`}:${portOf(server)}`;
  const [hubServer, storage] = [serve(onHub), serve(onStorage)];
  await Promise.all(
    [hubServer, storage].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  );
  const hub: LoopbackHub = {
    url: origin(hubServer),
    served,
    storageAuthorizations,
    hubRequests,
    commit: createHash('sha1').update(repository).digest('hex'),
    async close() {
      await Promise.all(
        [hubServer, storage].map((server) => {
          server.closeAllConnections();
          return new Promise<void>((done) => server.close(() => done()));
        }),
      );
    },
  };
  return hub;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function rangeOf(request: IncomingMessage, sizeBytes: number): { readonly start: number; readonly end: number } {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  return start === undefined
    ? { start: 0, end: sizeBytes }
    : { start: Number(start), end: Math.min(sizeBytes, Number(end) + 1) };
}

function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  {
    bytes,
    fault,
    hasRanges,
    paceMs,
  }: { readonly bytes: Uint8Array; readonly fault: Fault | null; readonly hasRanges: boolean; readonly paceMs: number },
  onSent: (bytes: number) => void,
): void {
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, fault.headers).end();
    return;
  }
  const isWhole = !hasRanges || request.headers.range === undefined;
  const asked = isWhole ? { start: 0, end: bytes.byteLength } : rangeOf(request, bytes.byteLength);
  const shift = fault?.kind === 'wrongRange' ? 1 : 0;
  const end = fault?.kind === 'long' ? bytes.byteLength : asked.end;
  const body = new Uint8Array(bytes.subarray(asked.start, end));
  if (fault?.kind === 'corrupt' && fault.at >= asked.start && fault.at < end) body[fault.at - asked.start]! ^= 0xff;
  const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : body.byteLength;
  const range = `bytes ${asked.start + shift}-${asked.end - 1 + shift}/${bytes.byteLength}`;
  response.writeHead(isWhole ? 200 : 206, {
    ...(fault?.kind === 'long' ? {} : { 'content-length': body.byteLength }),
    ...(isWhole ? {} : { 'content-range': range }),
  });
  let sent = 0;
  const send = (): void => {
    while (sent < Math.min(limit, body.byteLength)) {
      if (response.destroyed) return;
      const piece = body.subarray(sent, Math.min(limit, sent + PIECE_BYTES));
      sent += piece.byteLength;
      onSent(piece.byteLength);
      if (paceMs > 0) {
        response.write(piece);
        setTimeout(send, paceMs);
        return;
      }
      if (!response.write(piece)) {
        response.once('drain', send);
        return;
      }
    }
    if (limit >= body.byteLength) response.end();
    // Let the bytes leave before the connection is closed.
    else if (fault?.kind === 'cut') setImmediate(() => response.destroy());
  };
  send();
}
