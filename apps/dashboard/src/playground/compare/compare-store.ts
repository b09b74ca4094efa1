/** Columns that continue one prompt with one seed under different parameters, or by different models. */

import type { Run } from '@gptj-cloud/sdk';
import { PROCESSED } from '../../api/ask-less.ts';
import { type Draft, type DraftNode, newDraft, nodeOf, type Parameters } from '../document/draft.ts';
import {
  acceptRun,
  appendTokens,
  beginGeneration,
  endGeneration,
  restartGeneration,
  unseedRun,
} from '../document/generation.ts';
import { meanLogprob } from '../document/mean-logprob.ts';
import type { Prompt } from '../document/prompt.ts';
import type { ChosenModel } from '../model/chosen-model.ts';
import { ASKED, type GenerationTools } from '../store/playground-store.ts';
import { arrivalsOfResult } from '../stream/arrivals.ts';
import { type Generation, type GenerationDeps, startGeneration } from '../stream/run-generation.ts';

export const MAX_COLUMNS = 4;

export interface CompareColumn {
  readonly id: string;
  /** Null: the model of the playground. */
  readonly model: ChosenModel | null;
  readonly parameters: Parameters;
  /** The continuation; null before the first. */
  readonly output: DraftNode | null;
  readonly run: Run | null;
  readonly isRunning: boolean;
  readonly problem: unknown;
  /** The text under the model and the parameters of another column; null where it is not scored. */
  readonly score: ColumnScore | null;
}

export interface ColumnScore {
  /** The other column. */
  readonly by: string;
  /** Null while the server scores it. */
  readonly result: {
    /** Mean log-probability of the tokens that are possible there; null when none is. */
    readonly mean: number | null;
    readonly possible: number;
    /** Of each scored token: fewer than the text has where it would have ended earlier. Null: it is not possible. */
    readonly logprobs: readonly (number | null)[];
  } | null;
}

export interface CompareState {
  readonly columns: readonly CompareColumn[];
  /** Of the last generation; null before it, and where a model draws by no seed of ours. */
  readonly seed: number | null;
}

export interface CompareStore {
  readonly get: () => CompareState;
  readonly subscribe: (listener: () => void) => () => void;
  setParameters(column: string, parameters: Parameters): void;
  setModel(column: string, model: ChosenModel | null): void;
  /** A column like the last one, up to four. */
  add(): void;
  remove(column: string): void;
  /** Exchange the first two columns. */
  swap(): void;
  /** Continue `prompt` in every column, with the seed that the first one has locked, or a new one. */
  generate(prompt: Prompt): void;
  /** Score the text of a column under the model and the parameters of another one, as the continuation of the same prompt. */
  score(column: string, by: string): Promise<void>;
  clearScore(column: string): void;
  stop(): void;
  /** Stop listening. */
  close(): void;
}

export function createCompareStore(deps: GenerationTools, first: Parameters): CompareStore {
  const column = (parameters: Parameters, model: ChosenModel | null = null): CompareColumn => ({
    id: deps.newId(),
    model,
    parameters,
    output: null,
    run: null,
    isRunning: false,
    problem: null,
    score: null,
  });
  let state: CompareState = { columns: [column(first), column(hotter(first))], seed: null };
  const listeners = new Set<() => void>();
  const generations = new Map<string, Generation>();
  let lastPrompt: Prompt | null = null;
  const set = (next: CompareState): void => {
    state = next;
    for (const listener of listeners) listener();
  };
  const change = (id: string, fields: Partial<CompareColumn>): void =>
    set({ ...state, columns: state.columns.map((each) => (each.id === id ? { ...each, ...fields } : each)) });

  const pipelineOf = ({ model }: Pick<CompareColumn, 'model'>): string => model?.pipelineId ?? deps.pipelineId();
  /** A score was about what its column was. */
  const changeScorer = (id: string, fields: Pick<CompareColumn, 'model'> | Pick<CompareColumn, 'parameters'>): void => {
    const columns = state.columns.map((each) => (each.score?.by === id ? { ...each, score: null } : each));
    set({ ...state, columns: columns.map((each) => (each.id === id ? { ...each, ...fields } : each)) });
  };

  const begin = async (from: CompareColumn, parameters: Parameters, prompt: Prompt): Promise<void> => {
    const { id, model } = from;
    const key = deps.newId();
    const empty = newDraft(key, parameters);
    const seed = typeof parameters.seed === 'number' ? parameters.seed : null;
    let draft: Draft = beginGeneration(empty, empty.root, { key, parameters, seed, sequences: 1 });
    const output = draft.here;
    const show = (next: Draft, fields: Partial<CompareColumn> = {}): void => {
      draft = next;
      change(id, { ...fields, output: nodeOf(draft, output) });
    };
    show(draft, { isRunning: true, problem: null, run: null, score: null });
    const sink: GenerationDeps['sink'] = {
      accepted: (run) => show(acceptRun(draft, key, run.id)),
      arrived: (arrivals) => show(appendTokens(draft, arrivals)),
      restarted: () => show(restartGeneration(draft, key)),
      ended: (ending, run) => show(endGeneration(draft, ending), { run, isRunning: false }),
      reduced(left) {
        if (!left.includes('seed')) return;
        show(unseedRun(draft, key));
        set({ ...state, seed: null });
      },
      refused: (problem) => show(draft, { problem, isRunning: false }),
      searched: () => undefined,
      lost: () => undefined,
      found: () => undefined,
    };
    try {
      const data = [await deps.promptData(prompt, parameters, model?.name), { ...ASKED, ...parameters }];
      const isLocked = state.columns.some((each) => typeof each.parameters.seed === 'number');
      const optional = isLocked ? PROCESSED : [...PROCESSED, 'seed'];
      generations.get(id)?.leave();
      generations.set(id, startGeneration({ ...deps, sink }, { key, pipelineId: pipelineOf(from), data, optional }));
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
    setParameters: (id, parameters) => changeScorer(id, { parameters }),
    setModel: (id, model) => changeScorer(id, { model }),
    add() {
      const last = state.columns.at(-1);
      if (last === undefined || state.columns.length >= MAX_COLUMNS) return;
      set({ ...state, columns: [...state.columns, column(hotter(last.parameters), last.model)] });
    },
    remove(id) {
      generations.get(id)?.stop();
      const others = state.columns.filter((each) => each.id !== id);
      set({ ...state, columns: others.map((each) => (each.score?.by === id ? { ...each, score: null } : each)) });
    },
    swap() {
      const [a, b, ...others] = state.columns;
      if (a !== undefined && b !== undefined) set({ ...state, columns: [b, a, ...others] });
    },
    generate(prompt) {
      const locked = state.columns[0]?.parameters.seed;
      const seed = typeof locked === 'number' ? locked : deps.randomSeed();
      lastPrompt = prompt;
      set({ ...state, seed });
      for (const each of state.columns) void begin(each, { ...each.parameters, seed }, prompt);
    },
    async score(id, by) {
      const tokens = state.columns.find((each) => each.id === id)?.output?.tokens ?? [];
      const scorer = state.columns.find((each) => each.id === by);
      if (lastPrompt === null || scorer === undefined || tokens.length === 0) return;
      const { parameters, model } = scorer;
      const asked: ColumnScore = { by, result: null };
      change(id, { score: asked, problem: null });
      const settle = (fields: Partial<CompareColumn>): void => {
        // Not where the column has been changed or continued since.
        if (state.columns.find((each) => each.id === id)?.score === asked) change(id, fields);
      };
      try {
        const given = { ...ASKED, ...parameters, logprobs: 0, continuation_ids: tokens.map((token) => token.id) };
        const prompt = await deps.promptData(lastPrompt, parameters, model?.name);
        const run = await deps.complete(pipelineOf(scorer), [prompt, given]);
        settle({ score: { by, result: scoreOf(run) } });
      } catch (problem) {
        settle({ score: null, problem });
      }
    },
    clearScore: (id) => change(id, { score: null }),
    stop() {
      for (const generation of generations.values()) generation.stop();
    },
    close() {
      for (const generation of generations.values()) generation.leave();
      generations.clear();
    },
  };
}

function scoreOf(run: Run): ColumnScore['result'] {
  const processed = (arrivalsOfResult('', run)[0]?.tokens ?? []).map((token) => ({ logprob: token.processed ?? null }));
  const logprobs = processed.map(({ logprob }) => logprob);
  return {
    mean: meanLogprob(processed)?.mean ?? null,
    possible: logprobs.filter((logprob) => logprob !== null).length,
    logprobs,
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
