/** The model that the playground generates with, where the server has several; this browser remembers it. */
import { useSyncExternalStore } from 'react';

export interface ChosenModel {
  readonly name: string;
  readonly pipelineId: string;
}

const KEY = 'gptj-playground-model';
/** The pipeline of the model that requests without a name get. */
export const DEFAULT_PIPELINE = 'gpt-j:latest';

let chosen: ChosenModel | null = stored();
const listeners = new Set<() => void>();

/** Null: the one that requests without a name get. */
export function chosenModel(): ChosenModel | null {
  return chosen;
}

export function chosenPipeline(): string {
  return chosen?.pipelineId ?? DEFAULT_PIPELINE;
}

export function chooseModel(model: ChosenModel | null): void {
  chosen = model;
  try {
    if (model === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, JSON.stringify({ name: model.name, pipelineId: model.pipelineId }));
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
  for (const listener of listeners) listener();
}

export function useChosenModel(): ChosenModel | null {
  return useSyncExternalStore(subscribe, chosenModel);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stored(): ChosenModel | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    if (typeof value !== 'object' || value === null || !('name' in value) || !('pipelineId' in value)) return null;
    const { name, pipelineId } = value;
    return typeof name === 'string' && typeof pipelineId === 'string' ? { name, pipelineId } : null;
  } catch {
    return null;
  }
}
