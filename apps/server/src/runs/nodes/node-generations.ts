/**
 * Direct generations of nodes without an engine, computed here. Admission, limits and metering are the other node's: this one
 * computes and reports.
 *
 * States: **open** → `close`: no new ones; those that run have a time to end → they are aborted.
 */
import { type Engine, toWireError, toWireEvents } from '@gptj-cloud/engine';
import { DRAINING, EVENT, FAILED, NOT_SERVED, type NodeGeneration } from './generation-wire.ts';
import { toWireJson } from './wire-json.ts';

export interface NodeGenerationsDeps {
  /** The engine of the model of a name; null: it is not served here. */
  readonly engineOf: (model: string) => Engine | null;
}

/** An event of the reply. */
export interface SentEvent {
  readonly event: string;
  readonly data: string;
}

export interface SentEvents {
  next(): Promise<SentEvent | null>;
  /** The reader has gone, or has read the end. */
  close(): void;
}

export interface NodeGenerations {
  /** Generations under way. */
  readonly running: number;
  /** The events of a generation, or the status that sends the other node elsewhere. */
  open(generation: NodeGeneration): SentEvents | typeof DRAINING | typeof NOT_SERVED;
  /** Every call returns the promise of the first. */
  close(drainTimeoutMs: number): Promise<void>;
}

export function createNodeGenerations({ engineOf }: NodeGenerationsDeps): NodeGenerations {
  const stop = new AbortController();
  let running = 0;
  let idle = (): void => {};
  let closing: Promise<void> | undefined;
  const leave = (): void => {
    running--;
    if (running === 0) idle();
  };
  return {
    get running() {
      return running;
    },
    open({ model, request }) {
      if (closing !== undefined) return DRAINING;
      const engine = engineOf(model);
      if (engine === null) return NOT_SERVED;
      running++;
      return sendEvents(engine, request, stop.signal, leave);
    },
    close(drainTimeoutMs) {
      closing ??= (async () => {
        if (running === 0) return;
        const drained = new Promise<void>((resolve) => {
          idle = resolve;
        });
        const timer = setTimeout(() => stop.abort(), drainTimeoutMs);
        // A reader that does not read the end of its events is left to its connection.
        const last = setTimeout(() => idle(), drainTimeoutMs + STOP_MS);
        await drained;
        clearTimeout(timer);
        clearTimeout(last);
      })();
      return closing;
    },
  };
}

/** Time for aborted generations to end. */
const STOP_MS = 2_000;

/** @param onEnd called once, when the engine has ended the generation */
function sendEvents(
  engine: Engine,
  request: NodeGeneration['request'],
  stop: AbortSignal,
  onEnd: () => void,
): SentEvents {
  const gone = new AbortController();
  const write = async function* (): AsyncGenerator<SentEvent, void, undefined> {
    try {
      for await (const event of engine.generate(request, AbortSignal.any([stop, gone.signal]))) {
        for (const part of toWireEvents(event)) yield { event: EVENT, data: toWireJson(part) };
      }
    } catch (error) {
      yield { event: FAILED, data: JSON.stringify(toWireError(error)) };
    }
  };
  const events = write();
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    gone.abort();
    // After the step under way.
    void events.return().finally(onEnd);
  };
  return {
    async next() {
      const { value, done } = await events.next();
      if (done === true) end();
      return done === true ? null : value;
    },
    close: end,
  };
}
