/** The model that the playground generates with, where the server has several. */
import { useSyncExternalStore } from 'react';

export interface ChosenModel {
  readonly name: string;
  readonly pipelineId: string;
}

/** The pipeline of the model that requests without a name get. */
export const DEFAULT_PIPELINE = 'gpt-j:latest';

let chosen: ChosenModel | null = null;
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
  for (const listener of listeners) listener();
}

export function useChosenModel(): ChosenModel | null {
  return useSyncExternalStore(subscribe, chosenModel);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
