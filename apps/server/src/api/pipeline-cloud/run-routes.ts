import {
  invalidParameter,
  parsePageQuery,
  type QueryValue,
  type RunState,
  runCreateSchema,
  runEventData,
  runStateSchema,
} from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import type { PipelineTags } from '../../generation/pipelines/pipeline-tags.ts';
import { breakOff } from '../../http/break-off.ts';
import { readJsonBody } from '../../http/json-body.ts';
import { type EventSource, type EventStreamOptions, eventStreamReply } from '../../http/sse.ts';
import { type WaitingReplyOptions, waitingReply } from '../../http/waiting-reply.ts';
import { ignoredFields } from '../../runs/ignored-fields.ts';
import type { EventReader } from '../../runs/run-events.ts';
import type { RunService } from '../../runs/run-service.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AppEnv } from '../access/app-env.ts';

export interface RunRoutesDeps {
  readonly runs: RunService;
  readonly logger: Logger;
  readonly tags: PipelineTags;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions & EventStreamOptions;
}

/** Making a run, following it, looking at runs, ending and removing them. */
export function runRoutes({ runs, tags, logger, maxJsonBytes, waiting }: RunRoutesDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false })
    .post('/v2/runs', async (c) => {
      const { value, names, data } = await readJsonBody(c.req.raw, runCreateSchema, maxJsonBytes);
      const principal = c.get('principal');
      const accepted = await runs.create({
        principal,
        request: value,
        input: data ?? null,
        warnings: ignoredFields(names),
        idempotencyKey: parseIdempotencyKey(c.req.header('idempotency-key')),
      });
      const { projectId } = principal;
      if (value.stream ?? false) {
        const reader = accepted.events ?? endOnly(runs, projectId, accepted.id);
        const source = readerSource(reader, () => {
          if (!accepted.isAsync) void runs.abandon(projectId, accepted.id).catch(() => undefined);
        });
        return eventStreamReply(source, waiting, breakOff(c, logger));
      }
      accepted.events?.close();
      if (accepted.isAsync) return c.json(await runs.get(projectId, accepted.id), 202);
      return await waitingReply(accepted.ended(), waiting, breakOff(c, logger));
    })
    .get('/v2/runs', async (c) => {
      const { skip, limit, order_by: orderBy, pipeline_id: wanted, run_state: state } = c.req.query();
      const page = parsePageQuery({ skip, limit, orderBy }, ['created_at']);
      const { projectId } = c.get('principal');
      const pipelineId = await tags.idOf(projectId, wanted);
      return c.json(await runs.list({ projectId, pipelineId, state: parseRunState(given(state)) }, page));
    })
    .get('/v2/runs/:id', async (c) => c.json(await runs.get(c.get('principal').projectId, c.req.param('id'))))
    .get('/v2/runs/:id/events', async (c) => {
      const { projectId } = c.get('principal');
      const id = c.req.param('id');
      const after = c.req.header('last-event-id') ?? null;
      const reader = await runs.events(projectId, id, after);
      // Nobody would read what a stream holds open.
      if (c.req.method === 'HEAD') {
        reader?.close();
        return c.body(null, 200, { 'content-type': 'text/event-stream' });
      }
      return eventStreamReply(
        readerSource(reader ?? endOnly(runs, projectId, id), () => undefined),
        waiting,
        breakOff(c, logger),
      );
    })
    .post('/v2/runs/:id/cancel', async (c) =>
      c.json(await runs.cancel(c.get('principal').projectId, c.req.param('id'))),
    )
    .delete('/v2/runs/:id', async (c) => {
      await runs.remove(c.get('principal').projectId, c.req.param('id'));
      return c.body(null, 204);
    });
}

function readerSource(reader: EventReader, onGone: () => void): EventSource {
  return {
    async next() {
      const numbered = await reader.next();
      if (numbered === null) return null;
      return { id: numbered.id, event: numbered.event.type, data: runEventData(numbered.event) };
    },
    close(reason) {
      reader.close();
      if (reason === 'gone') onGone();
    },
  };
}

/** For a run whose events are not kept here (any more): the one event of its end. */
function endOnly(runs: RunService, projectId: string, id: string): EventReader {
  let read = false;
  return {
    close() {
      read = true;
    },
    async next() {
      if (read) return null;
      read = true;
      return { id: 'end', event: { type: 'run', run: await runs.ended(projectId, id) } };
    },
  };
}

function given(value: QueryValue): string | null {
  return value === undefined || value === '' ? null : value;
}

function parseRunState(value: string | null): RunState | null {
  if (value === null) return null;
  const parsed = runStateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidParameter('query->run_state', `expected one of ${runStateSchema.options.join(', ')}`);
}

function parseIdempotencyKey(value: string | undefined): string | null {
  if (value === undefined) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(value)) return value;
  throw invalidParameter('header->Idempotency-Key', 'expected 1 to 255 printable ASCII characters without blanks');
}
