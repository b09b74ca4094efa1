/** A composed server that listens, with a short lease, as one of several on a store. */
import type { Engine } from '@gptj-cloud/engine';
import { type ComposeDeps, type Composition, compose } from '../compose.ts';
import { type Listener, listen } from '../http/listen.ts';
import type { Admission } from '../metering/usage/admission.ts';
import type { RunTiming } from '../runs/run-timing.ts';
import type { Store } from '../store/db.ts';
import { createFakeDeps } from './fake-deps.ts';
import { byteTokenizer } from './fake-model.ts';
import { createOpenAdmission } from './open-admission.ts';
import { bookOf, planOf } from './plans.ts';

export interface ServedComposition {
  readonly url: string;
  readonly composition: Composition;
  readonly logLines: readonly string[];
  close(): Promise<void>;
}

export interface ServedOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly running?: number;
  readonly timing: RunTiming;
  /** Default: any request is admitted. */
  readonly admission?: Admission;
  /** Other servers compute its generations. */
  readonly isElsewhere?: boolean;
  /** Models that come and go. Default: none do. */
  readonly models?: Partial<Pick<ComposeDeps, 'opener' | 'elsewhere' | 'onModelChange' | 'otherModels'>>;
}

export async function serveComposition({
  store,
  engine,
  running = 1,
  timing,
  admission = createOpenAdmission(),
  isElsewhere = false,
  models = {},
}: ServedOptions): Promise<ServedComposition> {
  const { deps, logLines } = createFakeDeps(() => new Date());
  let listener: Listener | null = null;
  const composition = compose({
    ...deps,
    ...models,
    engine,
    tokenizer: byteTokenizer,
    store,
    isElsewhere,
    admission,
    plans: bookOf(planOf('owner')),
    settings: { ...deps.settings, ownsStore: false, maxRunningRuns: running, maxWaitingRuns: 20 },
    runTiming: timing,
    nodeUrl: () => listener?.url ?? null,
  });
  listener = await listen((request, peer) => composition.app.fetch(request, { peer }), { host: '127.0.0.1', port: 0 });
  await composition.start();
  const opened = listener;
  return {
    url: opened.url,
    composition,
    logLines,
    async close() {
      await composition.drain(0);
      await opened.close();
      await composition.close();
    },
  };
}
