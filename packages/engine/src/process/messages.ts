import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import type { AdapterFile } from '../adapters/adapter-file.ts';
import type { EngineInfo, GenerationRequest } from '../engine.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { MemoryPlan } from '../machine/memory-plan.ts';
import type { OpenModelOptions } from '../open-model.ts';
import type { WireEvent } from './event-parts.ts';
import type { PackedConfig } from './large-values.ts';

/** Messages from the server's process to the engine's, as structured clones. The sender chooses the ids. */
export type ToEngine =
  | { readonly kind: 'open'; readonly options: OpenModelOptions }
  | {
      readonly kind: 'generate';
      readonly id: number;
      readonly request: Omit<GenerationRequest, 'config'>;
      readonly config: PackedConfig;
    }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stats'; readonly id: number }
  | { readonly kind: 'adapters'; readonly id: number; readonly files: readonly AdapterFile[] }
  | { readonly kind: 'close' };

/** Messages from the engine's process to the server's. They never carry rows of logits. */
export type FromEngine =
  /** What the model will take, before it is loaded. */
  | { readonly kind: 'memory'; readonly plan: MemoryPlan }
  /** The share of the weights that is loaded. */
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'ready'; readonly info: EngineInfo }
  | { readonly kind: 'unable'; readonly error: WireError }
  | { readonly kind: 'warning'; readonly message: string }
  /** What the engine offers, with other adapters. */
  | { readonly kind: 'info'; readonly id: number; readonly info: EngineInfo }
  | { readonly kind: 'refused'; readonly id: number; readonly error: WireError }
  /** Events of all generations since the last such message, in order; long ones in parts. */
  | { readonly kind: 'events'; readonly events: readonly (readonly [id: number, event: WireEvent])[] }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'stats'; readonly id: number; readonly stats: EngineStats };

/** An error as plain data. */
export interface WireError {
  /** A `ModelErrorCode`; null for any other error, which is a bug. */
  readonly code: ModelErrorCode | null;
  readonly message: string;
}

export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof ModelError ? error.code : null, message };
}

/** The typed error on the receiving side. An error without a code becomes `engine_failed`. */
export function fromWireError(error: WireError): ModelError {
  return new ModelError(error.code ?? 'engine_failed', error.message);
}
