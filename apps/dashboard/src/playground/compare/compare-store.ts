/** Columns that continue one prompt with one seed under different parameters. */

import type { Run } from '@gptj-cloud/sdk';
import { type Draft, type DraftNode, newDraft, nodeOf, type Parameters } from '../document/draft.ts';
import { acceptRun, appendTokens, beginGeneration, endGeneration, restartGeneration } from '../document/generation.ts';
import type { Prompt } from '../document/prompt.ts';
import { ASKED, type GenerationTools } from '../store/playground-store.ts';
import { type Generation, type GenerationDeps, startGeneration } from '../stream/run-generation.ts';

export const MAX_COLUMNS = 4;

export interface CompareColumn {
  readonly id: string;
  readonly parameters: Parameters;
  /** The continuation; null before the first. */
  readonly output: DraftNode | null;
  readonly run: Run | null;
  readonly isRunning: boolean;
  readonly problem: unknown;
}

export interface CompareState {
  readonly columns: readonly CompareColumn[];
  /** Of the last generation; null before it. */
  readonly seed: number | null;
}

export interface CompareStore {
  readonly get: () => CompareState;
  readonly subscribe: (listener: () => void) => () => void;
  setParameters(column: string, parameters: Parameters): void;
  /** A column like the last one, up to four. */
  add(): void;
  remove(column: string): void;
  /** Exchange the first two columns. */
  swap(): void;
  /** Continue `prompt` in every column, with the seed that the first one has locked, or a new one. */
  generate(prompt: Prompt): void;
  stop(): void;
  /** Stop listening. */
  close(): void;
}

export function createCompareStore(deps: GenerationTools, first: Parameters): CompareStore {
  const column = (parameters: Parameters): CompareColumn => ({
    id: deps.newId(),
    parameters,
    output: null,
    run: null,
    isRunning: false,
    problem: null,
  });
  let state: CompareState = { columns: [column(first), column(hotter(first))], seed: null };
  const listeners = new Set<() => void>();
  const generations = new Map<string, Generation>();
  const set = (next: CompareState): void => {
    state = next;
    for (const listener of listeners) listener();
  };
  const change = (id: string, fields: Partial<CompareColumn>): void =>
    set({ ...state, columns: state.columns.map((each) => (each.id === id ? { ...each, ...fields } : each)) });

  const begin = async (id: string, parameters: Parameters, prompt: Prompt): Promise<void> => {
    const key = deps.newId();
    const empty = newDraft(key, parameters);
    const seed = typeof parameters.seed === 'number' ? parameters.seed : null;
    let draft: Draft = beginGeneration(empty, empty.root, { key, parameters, seed, sequences: 1 });
    const output = draft.here;
    const show = (next: Draft, fields: Partial<CompareColumn> = {}): void => {
      draft = next;
      change(id, { ...fields, output: nodeOf(draft, output) });
    };
    show(draft, { isRunning: true, problem: null, run: null });
    const sink: GenerationDeps['sink'] = {
      accepted: (run) => show(acceptRun(draft, key, run.id)),
      arrived: (arrivals) => show(appendTokens(draft, arrivals)),
      restarted: () => show(restartGeneration(draft, key)),
      ended: (ending, run) => show(endGeneration(draft, ending), { run, isRunning: false }),
      refused: (problem) => show(draft, { problem, isRunning: false }),
      searched: () => undefined,
      lost: () => undefined,
      found: () => undefined,
    };
    try {
      const data = [await deps.promptData(prompt, parameters), { ...ASKED, ...parameters }];
      generations.get(id)?.leave();
      generations.set(id, startGeneration({ ...deps, sink }, { key, pipelineId: deps.pipelineId, data }));
    } catch (problem) {
      sink.refused(problem);
    }
  };

  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setParameters: (id, parameters) => change(id, { parameters }),
    add() {
      const last = state.columns.at(-1);
      if (last === undefined || state.columns.length >= MAX_COLUMNS) return;
      set({ ...state, columns: [...state.columns, column(hotter(last.parameters))] });
    },
    remove(id) {
      generations.get(id)?.stop();
      set({ ...state, columns: state.columns.filter((each) => each.id !== id) });
    },
    swap() {
      const [a, b, ...others] = state.columns;
      if (a !== undefined && b !== undefined) set({ ...state, columns: [b, a, ...others] });
    },
    generate(prompt) {
      const locked = state.columns[0]?.parameters.seed;
      const seed = typeof locked === 'number' ? locked : deps.randomSeed();
      set({ ...state, seed });
      for (const { id, parameters } of state.columns) void begin(id, { ...parameters, seed }, prompt);
    },
    stop() {
      for (const generation of generations.values()) generation.stop();
    },
    close() {
      for (const generation of generations.values()) generation.leave();
      generations.clear();
    },
  };
}

/** Parameters that differ in one thing, as a beginning. */
function hotter(parameters: Parameters): Parameters {
  const { temperature } = parameters;
  const from = typeof temperature === 'number' ? temperature : 1;
  return { ...parameters, temperature: Math.round((from + 0.4) * 100) / 100 };
}

/** Names of parameters that the columns do not agree on, in alphabetical order. */
export function differingNames(columns: readonly { readonly parameters: Parameters }[]): readonly string[] {
  const names = new Set(columns.flatMap(({ parameters }) => Object.keys(parameters)));
  return [...names]
    .filter((name) => new Set(columns.map(({ parameters }) => JSON.stringify(parameters[name]))).size > 1)
    .sort();
}
