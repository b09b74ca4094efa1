/**
 * Proofs that two nodes of a store give each other. The secret itself is never sent: the address of a node that has ended
 * may belong to another program by now. A request is bound to one node and one subject, and its reply to the request.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface NodeRequest {
  /** The node that is asked. */
  readonly node: string;
  /** What it is asked for. */
  readonly subject: readonly string[];
}

/** The subject of a request for the events of a run. */
export function eventsSubject({ projectId, runId }: { readonly projectId: string; readonly runId: string }): string[] {
  return [projectId, runId];
}

/** The subject of a request for a generation, with the SHA-256 of its body. */
export function generationSubject(bodyHash: string): string[] {
  return ['direct', 'generation', bodyHash];
}

export interface SignedRequest {
  /** Of the header `Authorization`. */
  readonly authorization: string;
  /** Whether a reply comes from a node of the store. */
  readonly isAnswered: (proof: string | null) => boolean;
}

/** Header of the reply. */
export const PROOF_HEADER = 'x-node-proof';

export function signRequest(secret: string, request: NodeRequest): SignedRequest {
  const nonce = randomBytes(16).toString('hex');
  return {
    authorization: `Node ${nonce}.${requestProof(secret, request, nonce)}`,
    isAnswered: (proof) => isEqual(proof ?? '', replyProof(secret, request, nonce)),
  };
}

/** The proof for the reply; null when the request is not signed with the secret. */
export function checkRequest(secret: string, request: NodeRequest, authorization: string): string | null {
  const [, nonce = '', proof = ''] = /^Node ([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(authorization) ?? [];
  return isEqual(proof, requestProof(secret, request, nonce)) ? replyProof(secret, request, nonce) : null;
}

function requestProof(secret: string, { node, subject }: NodeRequest, nonce: string): string {
  return hmac(secret, ['request', node, ...subject, nonce]);
}

function replyProof(secret: string, { node, subject }: NodeRequest, nonce: string): string {
  return hmac(secret, ['reply', node, ...subject, nonce]);
}

function hmac(secret: string, parts: readonly string[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex');
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
