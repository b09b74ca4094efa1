/** The files of a revision, as a hub lists them: one request, which also pins the commit. */
import { retrying } from '../download/backoff.ts';
import { get, type HttpOptions, RefusedError, type Reply } from '../download/http.ts';
import type { Checksum } from '../download/remote-file.ts';
import { ModelStoreError } from '../model-store-error.ts';
import type { HubAddress } from './model-address.ts';

export interface ListedFile {
  readonly name: string;
  /** Null: the hub does not say. */
  readonly sizeBytes: number | null;
  readonly checksum: Checksum | null;
}

export interface HubListing {
  readonly commit: string;
  readonly files: readonly ListedFile[];
}

const MAX_LISTING_BYTES = 16 * 2 ** 20;
const MAX_FILES = 20_000;
const COMMIT = /^[0-9a-f]{40,64}$/;

/** The address of one file at a commit, which never changes. */
export function fileUrl(endpoint: string, repository: string, commit: string, name: string): string {
  return `${endpoint}/${repository}/resolve/${commit}/${encodeURIComponent(name)}`;
}

/** Throws `not_found`, `not_allowed`, `reply_invalid`, `connection_failed`, `aborted`. */
export async function listRevision(
  http: HttpOptions,
  endpoint: string,
  { repository, revision }: HubAddress,
  signal: AbortSignal,
): Promise<HubListing> {
  const url = `${endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const what = `${repository}@${revision}`;
  try {
    const { clock, onWait } = http;
    const text = await retrying({ clock, signal, what, onWait }, async () => {
      try {
        return await readText(await get(http, url, { accept: 'application/json' }, signal), what);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        throw new ModelStoreError(
          'not_allowed',
          `${what}: ${error.message}: there is no such model, or it needs a token in HF_TOKEN that may read it`,
          { cause: error },
        );
      }
    });
    return parseListing(what, text);
  } catch (error) {
    if (error instanceof ModelStoreError && error.code === 'not_found') {
      throw new ModelStoreError(
        'not_found',
        `${what}: ${endpoint} has no such model or revision; check the name, or set HF_TOKEN for a private one`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function readText({ read, close }: Reply, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (let piece = await read(); piece !== null; piece = await read()) {
      parts.push(piece);
      sizeBytes += piece.byteLength;
      if (sizeBytes <= MAX_LISTING_BYTES) continue;
      throw new ModelStoreError(
        'reply_invalid',
        `${what}: expected a listing of at most ${MAX_LISTING_BYTES} bytes, got more`,
      );
    }
    return Buffer.concat(parts).toString('utf8');
  } finally {
    close();
  }
}

function parseListing(what: string, text: string): HubListing {
  const json = parseJson(what, text);
  const commit = field(json, 'sha');
  const siblings = field(json, 'siblings');
  if (typeof commit !== 'string' || !COMMIT.test(commit)) throw invalid(what, 'the commit of the revision in "sha"');
  if (!Array.isArray(siblings)) throw invalid(what, 'the files of the revision in "siblings"');
  if (siblings.length > MAX_FILES) throw invalid(what, `at most ${MAX_FILES} files`);
  return { commit, files: siblings.flatMap((entry: unknown) => readFile(entry)) };
}

/** Files in folders below are not part of a checkpoint. */
function readFile(entry: unknown): readonly ListedFile[] {
  const name = field(entry, 'rfilename');
  if (typeof name !== 'string' || name.includes('/') || name.includes('\\')) return [];
  const lfs = field(entry, 'lfs');
  const size = field(lfs, 'size') ?? field(entry, 'size');
  const sha256 = field(lfs, 'sha256');
  const blob = field(entry, 'blobId');
  return [
    {
      name,
      sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
      checksum:
        typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)
          ? { algorithm: 'sha256', hex: sha256 }
          : (lfs ?? null) === null && typeof blob === 'string' && /^[0-9a-f]{40}$/.test(blob)
            ? { algorithm: 'git', hex: blob }
            : null,
    },
  ];
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelStoreError(
      'reply_invalid',
      `${what}: expected JSON from the hub, got ${JSON.stringify(text.slice(0, 60))}`,
      {
        cause,
      },
    );
  }
}

function invalid(what: string, expected: string): ModelStoreError {
  return new ModelStoreError(
    'reply_invalid',
    `${what}: expected ${expected}; HF_ENDPOINT may name a server that is no hub`,
  );
}
