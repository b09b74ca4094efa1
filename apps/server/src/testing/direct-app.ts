import type { Engine } from '@gptj-cloud/engine';
import type { App } from '../app.ts';
import { compose } from '../compose.ts';
import type { GenerationService } from '../generation/generation-service.ts';
import type { PipelineRegistry } from '../generation/pipelines/pipeline-registry.ts';
import type { TextModel } from '../generation/text-model.ts';
import type { FoundApiKey } from '../identity/api-keys/api-key-store.ts';
import type { Principal } from '../identity/principal.ts';
import type { Admission } from '../metering/usage/admission.ts';
import type { Database, Store } from '../store/db.ts';
import { createFakeDeps, TEST_SETTINGS } from './fake-deps.ts';
import { createOpenAdmission, type OpenAdmission } from './open-admission.ts';
import { bookOf, planOf } from './plans.ts';

/** The caller of every request with a token. */
export const PRINCIPAL: Principal = {
  userId: 'user_00000000000000000000000000000001',
  projectId: 'project_00000000000000000000000000000001',
  apiKeyId: 'token_00000000000000000000000000000001',
  role: 'member',
  planId: 'free',
  scopes: ['run', 'read'],
};

const SERVED_SINCE = new Date('2026-01-02T03:04:05Z');

/** The composed server without a database, for the APIs that keep nothing: any token is the one of `PRINCIPAL`. */
export interface DirectApp {
  readonly app: App;
  readonly pipelines: PipelineRegistry;
  readonly generations: GenerationService;
  readonly admission: OpenAdmission;
  readonly logLines: string[];
  /** A GET with a token. */
  get(path: string): Promise<Response>;
  /** A POST of JSON with a token. */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Response>;
}

export interface DirectAppOptions {
  readonly engine: Engine;
  readonly model: Pick<TextModel, 'tokenizer'>;
  /** Default: admits every request. */
  readonly admit?: Admission['admit'];
  readonly headerDelayMs?: number;
}

export function createDirectApp({ engine, model, admit, headerDelayMs = 30_000 }: DirectAppOptions): DirectApp {
  const { deps, logLines } = createFakeDeps(() => SERVED_SINCE);
  const admission = createOpenAdmission(7);
  const { app, pipelines, generations } = compose({
    ...deps,
    engine,
    tokenizer: model.tokenizer,
    store: NO_STORE,
    plans: bookOf(planOf('free')),
    admission: admit === undefined ? admission : { ...admission, admit },
    findKey: async () => FOUND_KEY,
    settings: { ...TEST_SETTINGS, maxJsonBytes: 1_000_000, waiting: { headerDelayMs, spaceIntervalMs: 5_000 } },
  });
  const authorization = 'Bearer token';
  return {
    app,
    pipelines,
    generations,
    admission,
    logLines,
    get: async (path) => await app.request(path, { headers: { authorization } }),
    post: async (path, body, signal) =>
      await app.request(path, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
  };
}

const FOUND_KEY: FoundApiKey = {
  principal: PRINCIPAL,
  verified: true,
  disabled: false,
  isPrevious: false,
  key: {
    id: String(PRINCIPAL.apiKeyId),
    name: 'direct',
    source: 'generated',
    userId: PRINCIPAL.userId,
    projectId: PRINCIPAL.projectId,
    scopes: PRINCIPAL.scopes,
    hint: 'gptj_…',
    isEnabled: true,
    createdAt: SERVED_SINCE,
    updatedAt: SERVED_SINCE,
    previousUntil: null,
    expiresAt: null,
    // Just now: its use need not be stored.
    lastUsedAt: SERVED_SINCE,
  },
};

/** Answers the readiness check; anything else that is asked of it is a fault of the test. */
const NO_STORE: Store = {
  db: new Proxy({} as Database, {
    get(_target, name) {
      if (name === 'execute') return async () => ({ rows: [] });
      throw new Error(`db.${String(name)}: this test has no database; open a test app`);
    },
  }),
  dump: null,
  openSession: null,
  writes: null,
  size: async () => 0,
  checkDisk: async () => {},
  close: async () => {},
};

/** The data of a reply's server-sent events. */
export async function readData(reply: Response): Promise<readonly string[]> {
  const text = await reply.text();
  return text
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => {
      if (!event.startsWith('data: ') || event.includes('\n')) throw new Error(`expected one data line, got ${event}`);
      return event.slice('data: '.length);
    });
}
