import type { Engine } from '@gptj-cloud/engine';
import { Hono } from 'hono';
import type { AppEnv } from '../api/access/app-env.ts';
import { meshRoutes } from '../api/mesh/mesh-routes.ts';
import { openAiRoutes } from '../api/openai/openai-routes.ts';
import { huggingFaceRoutes } from '../api/tgi/tgi-routes.ts';
import { createGenerationService, type GenerationService } from '../generation/generation-service.ts';
import type { TextModel } from '../generation/text-model.ts';
import { errorReply } from '../http/error-reply.ts';
import type { Principal } from '../identity/principal.ts';
import type { Admission } from '../metering/usage/admission.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createOpenAdmission, type OpenAdmission } from './open-admission.ts';

export const SOMEBODY: Principal = {
  userId: 'user_00000000000000000000000000000001',
  projectId: 'project_00000000000000000000000000000001',
  apiKeyId: 'token_00000000000000000000000000000001',
  role: 'member',
  planId: 'free',
  scopes: ['run'],
};

/** The compatible APIs alone, without a store: everybody is somebody. */
export interface DirectApp {
  readonly app: Hono<AppEnv>;
  readonly generations: GenerationService;
  readonly admission: OpenAdmission;
  readonly logLines: string[];
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Response>;
}

export interface DirectAppOptions {
  readonly engine: Engine;
  readonly model: TextModel;
  /** Default: lets everybody in. */
  readonly admit?: Admission['admit'];
  readonly patienceMs?: number;
}

export const SERVED_SINCE = new Date('2026-01-02T03:04:05Z');

export function createDirectApp({ engine, model, admit, patienceMs = 30_000 }: DirectAppOptions): DirectApp {
  const logLines: string[] = [];
  const clock = (): Date => SERVED_SINCE;
  const logger = createLogger((line) => logLines.push(line), clock);
  const admission = createOpenAdmission(7);
  const gate: Admission = admit === undefined ? admission : { ...admission, admit };
  const generations = createGenerationService({ engine, admission: gate, logger });
  const deps = {
    model,
    generations,
    logger,
    clock,
    maxJsonBytes: 1_000_000,
    waiting: { patienceMs, blankEveryMs: 5_000 },
    ready: async () => true,
  };
  const app = new Hono<AppEnv>({ strict: false });
  app.onError((error, c) => errorReply(error, 'request-1', logger, c.req));
  app.use(async (c, next) => {
    c.set('requestId', 'request-1');
    c.set('principal', SOMEBODY);
    await next();
  });
  for (const routes of [openAiRoutes(deps), huggingFaceRoutes(deps), meshRoutes(deps)]) app.route('/', routes);
  return {
    app,
    generations,
    admission,
    logLines,
    post: async (path, body, signal) =>
      await app.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
  };
}

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
