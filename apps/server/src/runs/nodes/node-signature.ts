/**
 * Proofs that two nodes of a store give each other. The secret itself is never sent: the address of a node that has ended
 * may belong to another program by now. A request is bound to one node, project and run, and its reply to the request.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** The request for the events of a run. */
export interface EventsRequest {
  /** The node that is asked. */
  readonly node: string;
  readonly projectId: string;
  readonly runId: string;
}

export interface SignedRequest {
  /** Of the header `Authorization`. */
  readonly authorization: string;
  /** Whether a reply comes from a node of the store. */
  readonly isAnswered: (proof: string | null) => boolean;
}

/** Header of the reply. */
export const PROOF_HEADER = 'x-node-proof';

export function signRequest(secret: string, request: EventsRequest): SignedRequest {
  const nonce = randomBytes(16).toString('hex');
  return {
    authorization: `Node ${nonce}.${requestProof(secret, request, nonce)}`,
    isAnswered: (proof) => isEqual(proof ?? '', replyProof(secret, request, nonce)),
  };
}

/** The proof for the reply; null when the request is not signed with the secret. */
export function checkRequest(secret: string, request: EventsRequest, authorization: string): string | null {
  const [, nonce = '', proof = ''] = /^Node ([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(authorization) ?? [];
  return isEqual(proof, requestProof(secret, request, nonce)) ? replyProof(secret, request, nonce) : null;
}

function requestProof(secret: string, { node, projectId, runId }: EventsRequest, nonce: string): string {
  return hmac(secret, ['request', node, projectId, runId, nonce]);
}

function replyProof(secret: string, { node, projectId, runId }: EventsRequest, nonce: string): string {
  return hmac(secret, ['reply', node, projectId, runId, nonce]);
}

function hmac(secret: string, parts: readonly string[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex');
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
