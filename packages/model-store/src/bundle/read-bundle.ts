import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gigabytes } from '@gptj-cloud/engine';
import { ModelStoreError, writeError } from '../model-store-error.ts';
import { isModelName, type ModelRecord, parseRecord } from '../store/model-record.ts';
import { BUNDLE_FILES } from './export-model.ts';
import { paddedSize, parseTarHeader, TAR_BLOCK } from './tar-header.ts';

export interface Bundle {
  readonly record: ModelRecord;
  /** Where the model file begins. */
  readonly offset: number;
}

const MAX_RECORD_BYTES = 64 * 1024;

/** The record of a bundle; null for a file that is no archive. Throws `bundle_invalid`. */
export async function readBundle(path: string): Promise<Bundle | null> {
  const file = await open(path, 'r');
  try {
    const start = await readBlock(file, 0);
    const first = parseTarHeader(start);
    if (first === null) return null;
    const refuse = (expected: string): ModelStoreError =>
      new ModelStoreError(
        'bundle_invalid',
        `${path}: expected a bundle of gptj export with ${expected}, got another archive or a damaged one`,
      );
    if (first.name !== BUNDLE_FILES.record || first.sizeBytes > MAX_RECORD_BYTES)
      throw refuse(`${BUNDLE_FILES.record} first`);
    const text = Buffer.alloc(first.sizeBytes);
    await file.read(text, 0, text.byteLength, TAR_BLOCK);
    const at = TAR_BLOCK + paddedSize(first.sizeBytes);
    const second = parseTarHeader(await readBlock(file, at));
    const offset = at + TAR_BLOCK;
    const { size } = await file.stat();
    if (second?.name !== BUNDLE_FILES.model || size < offset + second.sizeBytes)
      throw refuse(`the whole ${BUNDLE_FILES.model}`);
    const record = readRecord(path, text.toString('utf8'));
    if (!isModelName(record.name) || !isModelName(`x.${record.type}`) || record.sizeBytes !== second.sizeBytes) {
      throw refuse('a record that fits its model');
    }
    return { record, offset };
  } finally {
    await file.close();
  }
}

async function readBlock(file: FileHandle, at: number): Promise<Uint8Array> {
  const block = Buffer.alloc(TAR_BLOCK);
  await file.read(block, 0, TAR_BLOCK, at);
  return block;
}

function readRecord(path: string, text: string): ModelRecord {
  try {
    return parseRecord(path, text);
  } catch (cause) {
    throw new ModelStoreError('bundle_invalid', `${path}: expected the record of a model in ${BUNDLE_FILES.record}`, {
      cause,
    });
  }
}

/** Copy the model file out of a bundle. Throws `disk_full`, `hash_mismatch`, `io`. */
export async function extractModel(
  path: string,
  { record, offset }: Bundle,
  target: string,
  {
    onProgress,
    signal,
  }: { readonly onProgress: (doneBytes: number, totalBytes: number) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { sizeBytes, sha256 } = record;
  const { bavail, bsize } = await statfs(dirname(target));
  if (bavail * bsize < sizeBytes) {
    throw new ModelStoreError(
      'disk_full',
      `${target}: expected ${gigabytes(sizeBytes)} free, got ${gigabytes(bavail * bsize)}`,
    );
  }
  const hash = createHash('sha256');
  const file = await open(target, 'w', 0o600);
  try {
    let done = 0;
    for await (const piece of createReadStream(path, {
      start: offset,
      end: offset + sizeBytes - 1,
      highWaterMark: 2 ** 20,
      signal,
    })) {
      hash.update(piece);
      await file.writeFile(piece);
      done += piece.byteLength;
      onProgress(done, sizeBytes);
    }
    await file.sync();
  } catch (error) {
    if (signal.aborted) throw new ModelStoreError('aborted', 'the import was stopped', { cause: error });
    throw writeError(target, error);
  } finally {
    await file.close();
  }
  const hex = hash.digest('hex');
  if (hex !== sha256) {
    throw new ModelStoreError(
      'hash_mismatch',
      `${path}: expected the SHA-256 ${sha256}, got ${hex}; copy the bundle again`,
    );
  }
}
