import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Below it the header of the coding and the time cost more than the bytes. */
export const MIN_COMPRESSED_LENGTH = 1024;

const compress = promisify(gzip);

/** Whether the client reads gzip, by its Accept-Encoding. */
export function acceptsGzip(accepted: string): boolean {
  return acceptedCodings(accepted).has('gzip');
}

/** The codings that Accept-Encoding allows, in lower case. */
export function acceptedCodings(accepted: string): ReadonlySet<string> {
  const codings = new Set<string>();
  for (const entry of accepted.split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    if (!parameters.some((each) => /^q=0(?:\.0{0,3})?$/.test(each))) codings.add(name);
  }
  return codings;
}

/** Compressed off the server's thread. */
export async function gzipText(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await compress(text));
}

/** Compress a stream; leaving the result early ends the source. */
export function gzipStream(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return source.pipeThrough(new CompressionStream('gzip'));
}
