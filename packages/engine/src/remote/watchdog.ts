import { ModelError } from '@gptj-cloud/model';
import type { RemoteServer } from './remote-server.ts';

/** Calls a function after a time. Returns what cancels it. */
export type SetTimer = (ms: number, onEnd: () => void) => () => void;

const realTimer: SetTimer = (ms, onEnd) => {
  const timer = setTimeout(onEnd, ms);
  return () => clearTimeout(timer);
};

export interface WatchdogOptions {
  readonly server: Pick<RemoteServer, 'checkHealth' | 'report'>;
  /** Longest silence. */
  readonly ms: number;
  /** Before its first event a stream may wait for others, as long as the server is healthy. */
  readonly isWaiting: () => boolean;
  readonly onSilence: (error: Error) => void;
  /** Default: `setTimeout`. */
  readonly setTimer?: SetTimer;
}

/** Ends a stream that is silent for too long: every step of a server sends something. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #setTimer: SetTimer;
  #cancel = (): void => {};
  #isStopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#setTimer = options.setTimer ?? realTimer;
  }

  /** Something is awaited from now on. */
  watch(): void {
    this.#cancel();
    if (!this.#isStopped) this.#cancel = this.#setTimer(this.#options.ms, () => void this.#look());
  }

  /** It has arrived. */
  pause(): void {
    this.#cancel();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  async #look(): Promise<void> {
    const { server, ms, isWaiting, onSilence } = this.#options;
    if (isWaiting()) {
      try {
        await server.checkHealth();
        if (isWaiting()) this.watch();
        return;
      } catch {
        // Reported below.
      }
    }
    if (this.#isStopped) return;
    const silence = `sent nothing for ${ms / 1000} s`;
    server.report(`it ${silence}`);
    onSilence(new ModelError('engine_lost', `the server that computes the model ${silence}`));
  }
}
