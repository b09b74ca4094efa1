import type { GenerateOutcome, Strategy } from '@gptj-cloud/decoding';
import type { LanguageModel } from '@gptj-cloud/model';
import type { GenerationRequest } from '../engine.ts';
import type { PrefixStore } from '../prefix-store/prefix-store.ts';
import type { FairShare } from './fair-share.ts';
import type { Mutex } from './mutex.ts';
import type { WorkMonitor } from './work-monitor.ts';

export interface SchedulerOptions {
  readonly model: LanguageModel;
  /** Makes the strategy of a request. */
  readonly strategy: (request: GenerationRequest) => Strategy<GenerateOutcome>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Held during an evaluation: schedulers whose models share threads share it. */
  readonly mutex: Mutex;
  /**
   * Serve one generation at a time, without the prefix cache and drafts, with prompts cut at fixed places: its batches then
   * depend on its own request alone. Default false.
   */
  readonly isolated?: boolean;
  /** Guesses what the model will generate: a smaller model of the same vocabulary. Default: none. */
  readonly draftModel?: LanguageModel | null;
  /** Persists prefixes for the next process. Default: none. */
  readonly prefixStore?: PrefixStore | null;
  /** Called with warnings for the operator that do not affect generations. */
  readonly onWarning?: (message: string) => void;
  /** Accounts of tenants; schedulers that share processors share them. Default: its own. */
  readonly shares?: FairShare;
  /** Learns what the thread works on. Default: none. */
  readonly monitor?: WorkMonitor;
}
