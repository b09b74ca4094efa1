/**
 * A file with one prefix: its tokens, and the keys and values from which a model restores it.
 *
 *     magic    8 bytes    'GPTJPFX1'
 *     header   u32 length in bytes, little-endian, then JSON: {"model": fingerprint, "tokens": ids, "bytes": n}, and "lora":
 *              [{"name", "scale"}] where it was computed with adapters, by their ids
 *     keys and values     n bytes
 *     sha256   32 bytes   of everything before
 *
 * A file appears under its name complete or not at all, and its hash detects damage: damaged bytes must never reach the
 * native code that reads keys and values.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { type AdapterUse, adaptersKey, type TokenId } from '@gptj-cloud/model';

const MAGIC = Buffer.from('GPTJPFX1', 'latin1');
const HASH_BYTES = 32;
const CHUNK_BYTES = 2 ** 22;
/** The header of a full context is far smaller. */
const MAX_HEADER_BYTES = 2 ** 20;

/** Tokens, and the adapters with which their keys and values were computed, by `adapterId`. */
export interface Prefix {
  readonly tokens: readonly TokenId[];
  readonly lora: readonly AdapterUse[];
}

/** Whether two prefixes have the same keys and values. */
function isSame(a: Prefix, b: Prefix): boolean {
  return a.tokens.join() === b.tokens.join() && adaptersKey(a.lora) === adaptersKey(b.lora);
}

export interface PrefixFileHeader extends Prefix {
  /** Fingerprint of the model that computed the keys and values. */
  readonly model: string;
  /** Size of the keys and values in bytes. */
  readonly bytes: number;
}

/** Write a temporary file and rename it. Throws the file system's error, and then leaves no file. */
export async function writePrefixFile(
  path: string,
  model: string,
  { tokens, lora }: Prefix,
  bytes: Uint8Array,
): Promise<void> {
  const header = { model, tokens, bytes: bytes.byteLength, ...(lora.length === 0 ? {} : { lora }) };
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.byteLength);
  const temporary = `${path}.${randomUUID()}${TEMPORARY_SUFFIX}`;
  const hash = createHash('sha256');
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for (const part of [MAGIC, length, json, ...chunks(bytes)]) {
        hash.update(part);
        await file.writeFile(part);
      }
      await file.writeFile(hash.digest());
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Hashing blocks the event loop: it is done in chunks, with an asynchronous write between two of them. */
function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** Suffix of files that are being written, or were when their process died. */
export const TEMPORARY_SUFFIX = '.new';

/** The header of a file; null when the file has another format. Its hash is not checked. Throws the file system's error. */
export async function readPrefixHeader(path: string): Promise<PrefixFileHeader | null> {
  const file = await open(path, 'r');
  try {
    const start = await readAt(file, 0, MAGIC.byteLength + 4);
    const length = headerLength(start);
    return length === null ? null : parseHeader(await readAt(file, start.byteLength, length));
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** The keys and values of a file; null when it is damaged or contains another prefix. Throws the file system's error. */
export async function readPrefixBytes(path: string, model: string, prefix: Prefix): Promise<Uint8Array | null> {
  const whole = await readFile(path);
  const length = headerLength(whole);
  if (length === null) return null;
  const from = MAGIC.byteLength + 4 + length;
  const to = whole.byteLength - HASH_BYTES;
  if (to < from) return null;
  const hash = createHash('sha256').update(whole.subarray(0, to)).digest();
  if (!hash.equals(whole.subarray(to))) return null;
  const header = parseHeader(whole.subarray(from - length, from));
  const isExpected = header?.model === model && header.bytes === to - from && isSame(header, prefix);
  return isExpected ? whole.subarray(from, to) : null;
}

function headerLength(start: Buffer): number | null {
  const at = MAGIC.byteLength;
  if (start.byteLength < at + 4 || !start.subarray(0, at).equals(MAGIC)) return null;
  const length = start.readUInt32LE(at);
  return length <= MAX_HEADER_BYTES ? length : null;
}

function parseHeader(json: Buffer): PrefixFileHeader | null {
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { model, tokens, bytes, lora = [] } = value as Readonly<Record<string, unknown>>;
  if (typeof model !== 'string' || !isCount(bytes) || !Array.isArray(tokens) || !tokens.every(isCount)) return null;
  if (!Array.isArray(lora) || !lora.every(isUse)) return null;
  return { model, tokens, bytes, lora };
}

function isUse(value: unknown): value is AdapterUse {
  if (typeof value !== 'object' || value === null) return false;
  const { name, scale } = value as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && Number.isFinite(scale);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
