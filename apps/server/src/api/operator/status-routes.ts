import { z } from 'zod';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, PROBE } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface StatusRoutesDeps {
  /** What keeps the server from taking runs now: `engine`, `database`, `shutdown`; empty: nothing does. */
  readonly ready: () => Promise<readonly string[]>;
  readonly modelName: string;
}

const statusSchema = z.object({ status: z.string() });
const notReadySchema = z.object({ status: z.string(), reasons: z.array(z.string()) });
const frontSchema = z.object({
  name: z.string(),
  description: z.string(),
  model: z.string(),
  run: z.string(),
  docs: z.string(),
});

/** Liveness, readiness and the front page. */
export function statusRoutes({ ready, modelName }: StatusRoutesDeps): readonly ApiRoute[] {
  const record = { method: 'get', access: PROBE, errors: pipelineCloudErrors, tag: 'server' } as const;
  return [
    defineRoute({
      ...record,
      path: '/',
      summary: 'Name and model of this server',
      replies: { 200: json(frontSchema, 'Name, model and where to begin.') },
      handle: () => ({
        name: 'gptj-cloud',
        description: 'GPT-J behind the Pipeline Cloud v2 API of 2022',
        model: modelName,
        run: 'POST /v2/runs with {"pipeline_id": …, "data": [prompt, parameters]} and Authorization: Bearer <token>',
        docs: 'GET /docs for people, GET /openapi.json for machines',
      }),
    }),
    defineRoute({
      ...record,
      path: '/healthz',
      summary: 'Check that the server is alive',
      replies: { 200: json(statusSchema, 'The server is alive.') },
      handle: () => ({ status: 'ok' }),
    }),
    defineRoute({
      ...record,
      path: '/readyz',
      summary: 'Check whether the server can take runs',
      description: 'The store and the engine answer, and the server is not stopping.',
      replies: {
        200: json(statusSchema, 'The server can take runs.'),
        503: json(notReadySchema, 'The server cannot take runs now; `reasons` names what does not answer.'),
      },
      handle: async (_, c) => {
        const reasons = await ready();
        return reasons.length === 0 ? { status: 'ready' } : c.json({ status: 'not ready', reasons }, 503);
      },
    }),
    defineRoute({
      ...record,
      path: '/v2/status',
      summary: 'Check that the API answers, as clients of 2022 do',
      replies: { 200: json(z.object({ alive: z.boolean() }), 'The API answers.') },
      handle: () => ({ alive: true }),
    }),
  ];
}
