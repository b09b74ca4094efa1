import { ModelStoreError } from '../model-store-error.ts';

/** Where models come from, by the variables that Hugging Face's clients use. */
export interface HubSettings {
  /** Origin of the hub. */
  readonly endpoint: string;
  /** For private models. */
  readonly token: string | null;
  /** Take everything from the cache. */
  readonly offline: boolean;
}

const PUBLIC_HUB = 'https://huggingface.co';

/** Read `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE`. Throws `address_invalid`. */
export function readHubSettings(env: Readonly<Record<string, string | undefined>>): HubSettings {
  const endpoint = textOf(env.HF_ENDPOINT) ?? PUBLIC_HUB;
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new ModelStoreError(
      'address_invalid',
      `HF_ENDPOINT: expected an address that begins with https://, got ${JSON.stringify(endpoint.slice(0, 100))}`,
    );
  }
  const { username, password } = new URL(endpoint);
  if (username !== '' || password !== '') {
    // Not shown: messages reach logs and replies.
    const got = 'one with them; HF_TOKEN has the token of private models';
    throw new ModelStoreError(
      'address_invalid',
      `HF_ENDPOINT: expected an address without user and password, got ${got}`,
    );
  }
  return {
    endpoint: endpoint.replace(/\/$/, ''),
    token: textOf(env.HF_TOKEN) ?? textOf(env.HUGGING_FACE_HUB_TOKEN),
    offline: /^(?:1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''),
  };
}

function textOf(value: string | undefined): string | null {
  const text = value?.trim() ?? '';
  return text === '' ? null : text;
}
