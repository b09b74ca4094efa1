/** The route by which a node without an engine has a direct generation computed here. */
import { ApiError, invalidParameter } from '@gptj-cloud/protocol';
import { abortReply } from '../../http/abort-reply.ts';
import { eventStreamReply } from '../../http/event-stream.ts';
import { media } from '../../http/openapi/operation.ts';
import { readBody } from '../../http/request-body.ts';
import { type Access, defineRoute, type RequestBody } from '../../http/route.ts';
import {
  BODY_HASH_HEADER,
  GENERATIONS_PATH,
  hashBody,
  MAX_REQUEST_BYTES,
  type NodeGeneration,
  OTHER_VERSION,
  readGeneration,
} from '../../runs/nodes/generation-wire.ts';
import type { NodeGenerations } from '../../runs/nodes/node-generations.ts';
import { generationSubject, PROOF_HEADER } from '../../runs/nodes/node-signature.ts';
import type { ApiRoute } from '../access/access.ts';
import type { Guard } from '../access/guard.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { type NodeRoutesDeps, signatureOf } from './node-routes.ts';

export interface GenerationRouteDeps extends NodeRoutesDeps {
  readonly nodeGenerations: NodeGenerations;
}

/** A request that a node of the store has signed, for this node and a body with this hash. Before the body is read. */
function signedByNode({ node }: NodeRoutesDeps['runs']): Access<Guard, { readonly proof: string }> {
  return {
    security: [],
    async authorize(_guard, c) {
      const subject = generationSubject(c.req.header(BODY_HASH_HEADER) ?? '');
      const proof = await node.check(subject, signatureOf(c.req));
      if (proof === null) throw new ApiError('token_unknown');
      c.get('load')?.identify('nodes', { isExempt: true });
      return { proof };
    },
  };
}

/** Null: of another version. Throws `invalid_request` for a body that its hash does not match, or that no node writes. */
const generationBody: RequestBody<NodeGeneration | null> = {
  content: [{ schema: { type: 'object', description: 'The model, the prompt and the parameters.' } }],
  async read(request) {
    const bytes = await readBody(request, { maxBytes: MAX_REQUEST_BYTES });
    if (hashBody(bytes) !== request.headers.get(BODY_HASH_HEADER)) {
      throw invalidParameter('body', 'expected the body that its signature covers, got another');
    }
    try {
      return readGeneration(bytes);
    } catch {
      throw invalidParameter('body', 'expected a generation as nodes write it');
    }
  },
};

export function generationRoute({ runs, nodeGenerations, logger, waiting }: GenerationRouteDeps): ApiRoute {
  return defineRoute({
    method: 'post',
    path: GENERATIONS_PATH,
    access: signedByNode(runs),
    errors: pipelineCloudErrors,
    tag: 'internal',
    summary: 'Compute a direct generation of another server on the store',
    body: generationBody,
    replies: { 200: media('text/event-stream', 'The events of the generation.') },
    handle({ body, proof, request }, c) {
      const opened = body === null ? OTHER_VERSION : nodeGenerations.open(body);
      if (typeof opened === 'number') return c.body(null, opened, { [PROOF_HEADER]: proof });
      const reply = eventStreamReply(opened, waiting, abortReply(request, logger));
      reply.headers.set(PROOF_HEADER, proof);
      return reply;
    },
  });
}
