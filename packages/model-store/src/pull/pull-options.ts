import type { Recipe } from '@gptj-cloud/checkpoint';
import type { GpuMemory, MachineMemory } from '@gptj-cloud/engine';
import { type Clock, SYSTEM_CLOCK } from '../download/clock.ts';
import type { DownloadSizes } from '../download/download-file.ts';
import type { Fetch, HttpOptions } from '../download/http.ts';
import type { TryLock } from '../ports.ts';
import type { PullEvent } from './pull-events.ts';

export interface PullOptions {
  /** Folder of the store: `DATA_DIR/models`. */
  readonly models: string;
  /** `gpt-j-6b`, `owner/name@revision`, an address or a path. */
  readonly from: string;
  /** Name in the store; null: made from the source. */
  readonly name: string | null;
  /** Null: the best that fits into the memory. */
  readonly type: Recipe | null;
  /** Origin of the hub. */
  readonly endpoint: string;
  /** For private models of the hub. */
  readonly token: string | null;
  /** Folder of Hugging Face's cache; null: it is not used. */
  readonly hubCache: string | null;
  /** Take everything from the cache. */
  readonly offline: boolean;
  readonly fetch: Fetch;
  readonly clock?: Clock;
  /** How files are divided. Default `DOWNLOAD_SIZES`. */
  readonly sizes?: DownloadSizes;
  readonly tryLock: TryLock;
  readonly machine: MachineMemory;
  /** Of the GPU that the engine computes on; null or left out: it has none. */
  readonly gpu?: GpuMemory | null;
  readonly checksMemory: boolean;
  readonly onEvent: (event: PullEvent) => void;
  readonly signal: AbortSignal;
}

/** How a pull asks servers. The token goes to the hub alone. */
export function httpOf({ fetch, clock = SYSTEM_CLOCK, endpoint, token, onEvent }: PullOptions): HttpOptions {
  return {
    fetch,
    clock,
    credential: token === null ? null : { origin: new URL(endpoint).origin, token },
    onWait: (reason, ms) => onEvent({ type: 'wait', reason, ms }),
  };
}
