import type { RemoteAddress } from '@gptj-cloud/engine';
import type { z } from 'zod';
import { setting, switchSetting, textSetting } from './setting.ts';

/** A completions server that computes the model: `GPTJ_ENGINE=openai=URL`. */
export const remoteSettings = {
  ENGINE_KEY: setting<string, null>({
    group: 'Serving',
    help: 'key that the server of `GPTJ_ENGINE=openai=URL` asks for, sent as bearer token',
    fallback: null,
    read: (text) => (/^[\x21-\x7e]{1,1024}$/.test(text) ? text : undefined),
    expected: '1 to 1024 printable ASCII characters without blanks',
    isSecret: true,
  }),
  ENGINE_MODEL: textSetting({
    group: 'Serving',
    help: 'name of the model at that server',
    fallback: null,
    shownDefault: 'the first that it lists',
  }),
  ENGINE_PROBE: textSetting({
    group: 'Serving',
    help: 'file of `gptj probe` with which that server is compared at the start',
    fallback: null,
    shownDefault: 'made from the weights of `GPTJ_MODEL`, which are loaded for it',
  }),
  ENGINE_TOLERANCE: setting({
    group: 'Serving',
    help: 'by how much log-probabilities of that server may differ from the probe, from 0.001 to 0.5. The default is for the same weights in half precision: see [scale-out](scale-out.md#the-probe)',
    fallback: 0.02,
    read: (text) => {
      const value = /^0\.\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
      return value >= 0.001 && value <= 0.5 ? value : undefined;
    },
    expected: 'a number from 0.001 to 0.5',
  }),
  ENGINE_FALLBACK: setting({
    group: 'Serving',
    help: '`on` or `off`; `on` loads the weights of `GPTJ_MODEL` as well and computes here what that server cannot: see [scale-out](scale-out.md)',
    fallback: false,
    shownDefault: '`off`',
    read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    expected: 'on or off',
  }),
  ENGINE_DETERMINISTIC: switchSetting({
    group: 'Serving',
    help: 'whether that server gives the same results alone and beside other requests (`VLLM_BATCH_INVARIANT`)',
  }),
} as const;

type RemoteSettings = { readonly [Name in keyof typeof remoteSettings]: z.output<(typeof remoteSettings)[Name]> };

export interface RemoteEngineConfig {
  readonly address: RemoteAddress;
  /** Null: the first model that the server lists. */
  readonly model: string | null;
  /** Null: computed from the weights. */
  readonly probeFile: string | null;
  /** Compute here what the server cannot. */
  readonly hasFallback: boolean;
  readonly deterministic: boolean;
  /** By how much log-probabilities may differ from the probe. */
  readonly tolerance: number;
}

/** @param url null: the model is computed here */
export function parseRemoteEngine(url: URL | null, settings: RemoteSettings): RemoteEngineConfig | null {
  if (url === null) return null;
  return {
    address: { url, key: settings.ENGINE_KEY },
    model: settings.ENGINE_MODEL,
    probeFile: settings.ENGINE_PROBE,
    hasFallback: settings.ENGINE_FALLBACK,
    deterministic: settings.ENGINE_DETERMINISTIC,
    tolerance: settings.ENGINE_TOLERANCE,
  };
}
