/** Routes that the servers on one store call at each other. They are not part of the API. */
import { ApiError } from '@gptj-cloud/protocol';
import { z } from 'zod';
import { abortReply } from '../../http/abort-reply.ts';
import { type EventStreamOptions, eventStreamReply } from '../../http/event-stream.ts';
import { media } from '../../http/openapi/operation.ts';
import { header, query } from '../../http/parameter.ts';
import { type Access, defineRoute } from '../../http/route.ts';
import { eventsSubject, PROOF_HEADER, type ReceivedSignature, TIME_HEADER } from '../../runs/nodes/node-signature.ts';
import { NOT_KEPT, NOT_YET } from '../../runs/nodes/remote-events.ts';
import type { RunService } from '../../runs/run-service.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ApiRoute } from '../access/access.ts';
import type { Guard } from '../access/guard.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { readerSource } from '../pipeline-cloud/reader-source.ts';

export interface NodeRoutesDeps {
  readonly runs: Pick<RunService, 'node' | 'eventsHere'>;
  readonly logger: Logger;
  readonly waiting: EventStreamOptions;
}

export function signatureOf(request: { header(name: string): string | undefined }): ReceivedSignature {
  return { authorization: request.header('authorization') ?? '', time: request.header(TIME_HEADER) ?? null };
}

/** A request that a node of the store has signed, for this node and this run. */
function signedByNode({ node }: NodeRoutesDeps['runs']): Access<Guard, { readonly proof: string }> {
  return {
    security: [],
    async authorize(_guard, c) {
      c.set('isPolled', true);
      const subject = eventsSubject({ projectId: c.req.query('project_id') ?? '', runId: c.req.param('id') ?? '' });
      const proof = await node.check(subject, signatureOf(c.req));
      if (proof === null) throw new ApiError('token_unknown');
      c.get('load')?.identify('nodes', { isExempt: true });
      return { proof };
    },
  };
}

export function nodeRoutes({ runs, logger, waiting }: NodeRoutesDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/internal/runs/:id/events',
      access: signedByNode(runs),
      errors: pipelineCloudErrors,
      tag: 'internal',
      summary: 'Events of a run, for another server on the store',
      parameters: {
        projectId: query('project_id', 'Of the run.', z.string()),
        after: header('Last-Event-ID', 'Continue after this event.', z.string().optional()),
      },
      replies: { 200: media('text/event-stream', 'The events that this server keeps.') },
      async handle({ path, parameters, proof, request }, c) {
        const reader = await runs.eventsHere(parameters.projectId, path.id, parameters.after ?? null);
        const headers = { [PROOF_HEADER]: proof };
        if (reader === 'not_kept') return c.body(null, NOT_KEPT, headers);
        if (reader === 'not_yet') return c.body(null, NOT_YET, headers);
        const reply = eventStreamReply(
          readerSource(reader, () => undefined),
          waiting,
          abortReply(request, logger),
        );
        reply.headers.set(PROOF_HEADER, proof);
        return reply;
      },
    }),
  ];
}
