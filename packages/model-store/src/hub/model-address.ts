import { ModelStoreError } from '../model-store-error.ts';

/** A revision of a repository of a hub. */
export interface HubAddress {
  readonly kind: 'hub';
  /** Origin of the hub; null: the one of the settings. */
  readonly endpoint: string | null;
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag, commit or reference. */
  readonly revision: string;
}

/** Where a model comes from. */
export type ModelAddress =
  | HubAddress
  /** One model file. */
  | { readonly kind: 'file'; readonly url: string }
  /** The folder of a checkpoint on this machine, a model file, or a bundle. */
  | { readonly kind: 'path'; readonly path: string };

/** Models with a short name, and the revision that is downloaded unless another one is named. */
const KNOWN_MODELS: ReadonlyMap<string, { readonly repository: string; readonly revision: string }> = new Map([
  // The other branches hold the same values as float32, in twice the space.
  ['gpt-j-6b', { repository: 'EleutherAI/gpt-j-6b', revision: 'float16' }],
]);

const PART = '[A-Za-z0-9][\\w.-]{0,95}';
const REPOSITORY = new RegExp(`^(${PART}/${PART})(?:@(.+))?$`);
const SHORT_NAME = new RegExp(`^(${PART})(?:@(.+))?$`);
const REVISION = /^[A-Za-z0-9][\w./-]{0,199}$/;

/** Parse `gpt-j-6b`, `owner/name@revision`, an address or a path that begins with `.` or `/`. Throws `address_invalid`. */
export function parseModelAddress(text: string): ModelAddress {
  if (/^https?:\/\//i.test(text)) return parseUrl(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw invalid(text, 'an address that begins with https:// or http://');
  }
  if (/^(?:\.|\/|[A-Za-z]:[\\/])/.test(text)) return { kind: 'path', path: text };
  const [, repository, revision] = REPOSITORY.exec(text) ?? [];
  if (repository !== undefined) return hubAddress(text, { repository, revision: revision ?? 'main', endpoint: null });
  const [, name = '', branch] = SHORT_NAME.exec(text) ?? [];
  const known = KNOWN_MODELS.get(name.toLowerCase());
  if (known !== undefined)
    return hubAddress(text, { ...known, ...(branch === undefined ? {} : { revision: branch }), endpoint: null });
  throw invalid(
    text,
    `${[...KNOWN_MODELS.keys()].join(', ')}, OWNER/NAME of a hub, an address, or a folder such as ./gpt-j-6b`,
  );
}

function hubAddress(text: string, address: Omit<HubAddress, 'kind'>): HubAddress {
  if (!REVISION.test(address.revision) || address.revision.includes('..')) {
    throw invalid(text, 'the name of a branch, tag or commit after @');
  }
  return { kind: 'hub', ...address };
}

/** `/OWNER/NAME`, perhaps with `/tree/REVISION` or `/resolve/REVISION/FILE`, is a repository of a hub. */
function parseUrl(text: string): ModelAddress {
  if (!URL.canParse(text)) throw invalid(text, 'a valid address');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw invalid(`${url.origin}…`, 'an address without a password; HF_TOKEN holds the token of a hub');
  }
  const [owner = '', name = '', action, ...rest] = url.pathname.split('/').slice(1).map(decode);
  const repository = `${owner}/${name}`;
  const isRepository = new RegExp(`^${PART}/${PART}$`).test(repository);
  if (isRepository && (action === undefined || action === '') && !name.endsWith('.gguf')) {
    return hubAddress(text, { endpoint: url.origin, repository, revision: 'main' });
  }
  if (isRepository && (action === 'tree' || action === 'resolve' || action === 'blob')) {
    const file = action === 'tree' ? null : rest.at(-1);
    if (file?.endsWith('.gguf') === true) {
      url.pathname = url.pathname.replace('/blob/', '/resolve/');
      return { kind: 'file', url: url.href };
    }
    const revision = (file === null ? rest : rest.slice(0, -1)).join('/').replace(/\/$/, '');
    return hubAddress(text, { endpoint: url.origin, repository, revision: revision === '' ? 'main' : revision });
  }
  return { kind: 'file', url: url.href };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function invalid(text: string, expected: string): ModelStoreError {
  return new ModelStoreError('address_invalid', `expected ${expected}, got ${JSON.stringify(text.slice(0, 200))}`);
}
