import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import type { EngineInfo, GenerationEvent, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { OpenModelOptions } from '../open-model.ts';

/** What crosses from the server's process to the engine's. Structured clones; ids are the sender's. */
export type ToEngine =
  | { readonly kind: 'open'; readonly options: OpenModelOptions }
  | { readonly kind: 'generate'; readonly id: number; readonly request: GenerationRequest }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stats'; readonly id: number }
  | { readonly kind: 'close' };

/** What comes back. Never a row of logits. */
export type FromEngine =
  | { readonly kind: 'ready'; readonly info: EngineInfo }
  | { readonly kind: 'unable'; readonly error: WireError }
  | { readonly kind: 'warning'; readonly message: string }
  /** What one round of the scheduler gave, over all generations, in order. */
  | { readonly kind: 'events'; readonly events: readonly (readonly [id: number, event: GenerationEvent])[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'stats'; readonly id: number; readonly stats: EngineStats };

/** An error as plain data. */
export interface WireError {
  /** A `ModelErrorCode`, or null for an error that is a bug. */
  readonly code: ModelErrorCode | null;
  readonly message: string;
}

export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof ModelError ? error.code : null, message };
}

/** The typed error again, on the other side. What is no `ModelError` there becomes `engine_failed` here. */
export function fromWireError(error: WireError): ModelError {
  return new ModelError(error.code ?? 'engine_failed', error.message);
}
