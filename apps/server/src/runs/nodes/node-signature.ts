/**
 * Proofs that two nodes of a store give each other. The secret itself is never sent: the address of a node that has ended
 * may belong to another program by now. A request is bound to one node, one subject and one moment, and its reply to the request.
 *
 * The proof of the time is a header of its own: nodes of the release before check the other one alone.
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

/** Header with the time of a request. */
export const TIME_HEADER = 'x-node-time';
/** Header of the reply. */
export const PROOF_HEADER = 'x-node-proof';

export interface SignedRequest {
  readonly headers: { readonly authorization: string; readonly [TIME_HEADER]: string };
  /** Whether a reply comes from a node of the store. */
  readonly isAnswered: (proof: string | null) => boolean;
}

/** The headers of a request that was received. */
export interface ReceivedSignature {
  readonly authorization: string;
  /** Null: a node of the release before has signed it. */
  readonly time: string | null;
}

export interface CheckedRequest {
  /** For the reply. */
  readonly proof: string;
  /** No other request has it. */
  readonly nonce: string;
  /** By the clock of the store; null where it is not signed. */
  readonly signedAtMs: number | null;
}

/** @param at the time of the store */
export function signRequest(secret: string, request: NodeRequest, at: Date): SignedRequest {
  const nonce = randomBytes(16).toString('hex');
  const signedAtMs = at.getTime();
  return {
    headers: {
      authorization: `Node ${nonce}.${requestProof(secret, request, nonce)}`,
      [TIME_HEADER]: `${signedAtMs}.${timeProof(secret, request, nonce, signedAtMs)}`,
    },
    isAnswered: (proof) => isEqual(proof ?? '', replyProof(secret, request, nonce)),
  };
}

/** Null when the request, or the time that it names, is not signed with the secret. */
export function checkRequest(
  secret: string,
  request: NodeRequest,
  { authorization, time }: ReceivedSignature,
): CheckedRequest | null {
  const [, nonce = '', proof = ''] = /^Node ([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(authorization) ?? [];
  if (!isEqual(proof, requestProof(secret, request, nonce))) return null;
  const checked = { proof: replyProof(secret, request, nonce), nonce };
  if (time === null) return { ...checked, signedAtMs: null };
  const [, ms = '', proofOfTime = ''] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(time) ?? [];
  const signedAtMs = Number(ms);
  return isEqual(proofOfTime, timeProof(secret, request, nonce, signedAtMs)) ? { ...checked, signedAtMs } : null;
}

function requestProof(secret: string, { node, subject }: NodeRequest, nonce: string): string {
  return hmac(secret, ['request', node, ...subject, nonce]);
}

function timeProof(secret: string, { node, subject }: NodeRequest, nonce: string, signedAtMs: number): string {
  return hmac(secret, ['time', node, ...subject, nonce, String(signedAtMs)]);
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
