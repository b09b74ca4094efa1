import type { ServedModel } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { serverQuery } from '../../api/server.ts';
import { Select } from '../../ui/select.tsx';
import { chooseModel, useChosenModel } from './chosen-model.ts';

/** While a model loads, its progress is read this often. */
const LOADING_POLL_MS = 1_000;
const POLL_MS = 10_000;

/** Chooses the model of the playground, where the server has several; this browser remembers it. */
export function ModelChoice() {
  const chosen = useChosenModel();
  const { data: server } = useQuery({
    ...serverQuery,
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.models.length < 2 ? false : data.models.some(isLoading) ? LOADING_POLL_MS : POLL_MS,
  });
  const models = server?.models ?? null;
  useEffect(() => {
    if (models === null) return;
    // What was chosen before the page was opened, where the server still has it.
    const name = chosen?.name ?? remembered();
    const found = models.find((each) => each.name === name) ?? null;
    if (found?.name !== chosen?.name) chooseModel(found);
  }, [models, chosen]);
  if (models === null || models.length < 2) return null;
  const value = models.find(({ name }) => name === chosen?.name) ?? models[0];
  return (
    <Select
      label="Model"
      isLabelHidden={true}
      size="small"
      value={value?.name ?? ''}
      onChange={(name) => {
        remember(name);
        chooseModel(models.find((each) => each.name === name) ?? null);
      }}
      choices={models.map((model) => ({ id: model.name, label: model.name, note: noteOf(model) }))}
    />
  );
}

const KEY = 'gptj-playground-model';

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // A browser that stores nothing forgets it with the page.
  }
}

function isLoading({ state }: ServedModel): boolean {
  return state === 'loading' || state === 'closing';
}

const NOTES: Readonly<Record<ServedModel['state'], string>> = {
  loaded: 'loaded',
  loading: 'loading',
  unloaded: 'loads when it is asked for',
  closing: 'makes room for another model',
  evicted: 'loads when it is asked for',
  failed: 'could not be loaded',
};

/** What a model is doing, in a few words. */
function noteOf({ state, progress }: Pick<ServedModel, 'state' | 'progress'>): string {
  return progress === null ? NOTES[state] : `${NOTES[state]}, ${Math.floor(progress * 100)} %`;
}
