/** A direct generation between nodes: the request that a node without an engine sends, and the events of the reply. */
import { createHash } from 'node:crypto';
import type { GenerationRequest, WireEvent } from '@gptj-cloud/engine';
import { z } from 'zod';
import { fromWireJson, toWireJson } from './wire-json.ts';

/** Changes when a node of the release before would compute something else for the same request. */
const VERSION = 1;

/** The address of generations on a node. */
export const GENERATIONS_PATH = '/internal/generations';
/** Header with the SHA-256 of the body, in hex, which the signature covers. */
export const BODY_HASH_HEADER = 'x-body-sha256';
/** Bytes of a request: a prompt and parameters that one request to the API had, written out. */
export const MAX_REQUEST_BYTES = 64 * 2 ** 20;

/** Statuses of a node that does not take the generation: another one may. */
export const OTHER_VERSION = 409;
export const NOT_SERVED = 404;
export const DRAINING = 503;

/** Names of the events of the reply. */
export const EVENT = 'event';
export const FAILED = 'failed';

export interface NodeGeneration {
  /** Name of the model. */
  readonly model: string;
  readonly request: GenerationRequest;
}

const tokenSchema = z.number().int().nonnegative();
/** The sender has made the parameters with `parseGenerateParameters`, as the engine's process gets them. */
const generationSchema = z.object({
  version: z.literal(VERSION),
  model: z.string(),
  request: z.object({
    prompt: z.array(tokenSchema).min(1),
    config: z.looseObject({ mode: z.string(), maxLength: z.number().int(), numReturnSequences: z.number().int() }),
    priority: z.number().optional(),
    maxEventDelayMs: z.number().optional(),
    tenant: z.string().optional(),
    maxQueueMs: z.number().optional(),
    maxComputeMs: z.number().optional(),
    alone: z.boolean().optional(),
    prefixLabels: z
      .array(z.string().regex(/^-?\d{1,19}$/))
      .max(32)
      .optional(),
  }),
});
const versionSchema = z.object({ version: z.number() });

export function writeGeneration({ model, request }: NodeGeneration): Uint8Array<ArrayBuffer> {
  const { origin: _, ...rest } = request;
  return new TextEncoder().encode(toWireJson({ version: VERSION, model, request: rest }));
}

/** Null: of another version. Throws `SyntaxError` and `ZodError` for what no node has written. */
export function readGeneration(bytes: Uint8Array): NodeGeneration | null {
  const value = fromWireJson(new TextDecoder().decode(bytes));
  if (versionSchema.parse(value).version !== VERSION) return null;
  const { model, request } = generationSchema.parse(value);
  return { model, request: request as unknown as GenerationRequest };
}

export function hashBody(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The event of a reply; null for one of a newer version of this program. */
export function readWireEvent(text: string): WireEvent | null {
  const value = fromWireJson(text) as WireEvent;
  return EVENT_TYPES.includes(value.type) ? value : null;
}

const EVENT_TYPES: readonly WireEvent['type'][] = [
  'started',
  'tokens',
  'searched',
  'computed',
  'stalling',
  'finished',
  'part',
];
