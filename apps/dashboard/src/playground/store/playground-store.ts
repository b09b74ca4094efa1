/** The state of the playground: one draft, the generations that write into it, and the store that keeps it. */
import type { BeamCandidate, Run } from '@gptj-cloud/sdk';
import { PROCESSED } from '../../api/ask-less.ts';
import {
  deleteNode,
  goToBranch,
  renameNode,
  retryPointOf,
  seamsOf,
  siblingOf,
  starNode,
  takeAlternative,
} from '../document/branching.ts';
import {
  type Alternative,
  type Draft,
  type DraftNode,
  type NodeId,
  newDraft,
  nodeOf,
  type Parameters,
  pathOf,
  stepTo,
  textOf,
  withChild,
} from '../document/draft.ts';
import { editText, type TextChange } from '../document/edit-text.ts';
import {
  acceptRun,
  appendTokens,
  beginGeneration,
  endGeneration,
  firstOf,
  openRuns,
  restartGeneration,
  unseedRun,
} from '../document/generation.ts';
import { redo, undo } from '../document/history.ts';
import { type Prompt, promptOf } from '../document/prompt.ts';
import { branchWith } from '../document/seam-choices.ts';
import { takeInText } from '../document/take-in-text.ts';
import type { DraftClaims } from '../drafts/draft-claims.ts';
import { createDraftSaver } from '../drafts/draft-saver.ts';
import type { DraftEntry, DraftShelf } from '../drafts/draft-shelf.ts';
import { type OpenDraftOptions, openDraft } from '../drafts/open-draft.ts';
import { type Generation, type GenerationDeps, resumeGeneration, startGeneration } from '../stream/run-generation.ts';

export interface PlaygroundState {
  readonly draft: Draft;
  /** Whether the stored draft has been read. */
  readonly isLoaded: boolean;
  /** About the draft: it is a copy, or a stored one was damaged. */
  readonly notice: string | null;
  /** Why the last request was refused. */
  readonly problem: unknown;
  /** Drafts cannot be stored, and why. */
  readonly storageProblem: unknown;
  /** When the server is asked again; null while it answers. */
  readonly retryAtMs: number | null;
  /** Keys of the generations that this page follows. */
  readonly running: readonly string[];
  /** Keys of those that the user has stopped and whose end has not come. */
  readonly stopping: readonly string[];
  /** The last run that ended on this page. */
  readonly lastRun: Run | null;
  /** The steps of the newest beam search, where it was asked for them. */
  readonly search: { readonly key: string; readonly steps: readonly (readonly BeamCandidate[])[] } | null;
}

/** What a generation needs beside the place where it is shown. */
export interface GenerationTools extends Omit<GenerationDeps, 'sink'> {
  /** Of the model that is chosen now. */
  readonly pipelineId: () => string;
  /** An id that no other draft or generation has. */
  readonly newId: () => string;
  readonly randomSeed: () => number;
  /** A run of a pipeline that is not streamed; rejects when it fails. */
  readonly complete: (pipelineId: string, data: readonly unknown[]) => Promise<Run>;
  /** What the pipeline takes as a prompt. `model`: the one that reads it, in place of the one that is chosen now. */
  readonly promptData: (prompt: Prompt, parameters: Parameters, model?: string) => Promise<unknown>;
}

export interface PlaygroundDeps extends GenerationTools {
  /** Rejects where the browser stores nothing. */
  readonly openShelf: () => Promise<DraftShelf>;
  readonly openClaims: () => DraftClaims;
  readonly later: (task: () => void, delayMs: number) => () => void;
  readonly defaults: Parameters;
  readonly onEnded: (run: Run | null, summary: string) => void;
}

export interface PlaygroundStore {
  readonly get: () => PlaygroundState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Read the last draft, or the one with this id, and follow its open runs. */
  open(id?: string): Promise<void>;
  openNew(): Promise<void>;
  /** Open a draft that is not stored yet, and follow its open runs. `make` is given an id for it. */
  openMade(make: (id: string) => Promise<Draft> | Draft): Promise<void>;
  drafts(): Promise<readonly DraftEntry[]>;
  removeDraft(id: string): Promise<void>;
  /** Change the draft without a request. */
  change(change: (draft: Draft) => Draft): void;
  edit(change: TextChange): void;
  undo(): void;
  redo(): void;
  generate(): void;
  retry(): void;
  stop(): void;
  /** Go to a sibling of `node`, or of the last node that has siblings. */
  goToSibling(step: number, node?: NodeId): void;
  goToParent(): void;
  goTo(node: NodeId): void;
  /** Go to the end of the branch that begins with a node. */
  goToBranch(node: NodeId): void;
  /** Put another token in the place of a drawn one, and generate from there; go to the branch that begins with it where there is one. */
  take(node: NodeId, token: number, alternative: Alternative): void;
  /** The same at an offset of typed text, with what else could have come there. */
  takeInText(offset: number, alternative: Alternative, top: readonly Alternative[]): void;
  /** Add a continuation that was generated elsewhere, and take over its parameters. */
  adopt(output: DraftNode, parameters: Parameters): void;
  star(node: NodeId, isStarred: boolean): void;
  rename(node: NodeId, name: string | null): void;
  remove(node: NodeId): void;
  renameDraft(name: string | null): void;
  setParameters(parameters: Parameters): void;
  /** Keep the seed of the last generation for the next ones, or draw a new one each time. */
  toggleSeedLock(): void;
  dismissProblem(): void;
  dismissNotice(): void;
  /** Write what has changed. */
  flush(): Promise<void>;
  /** Stop listening to runs, which go on, and write what has changed. */
  close(): Promise<void>;
}

/** What the playground asks for beside the user's parameters, so that it can show tokens. */
export const ASKED: Parameters = {
  return_dict_in_generate: true,
  logprobs: 10,
  processed_logprobs: true,
  trim_stop: true,
};

export function createPlaygroundStore(deps: PlaygroundDeps): PlaygroundStore {
  let state: PlaygroundState = {
    draft: newDraft(deps.newId(), deps.defaults),
    isLoaded: false,
    notice: null,
    problem: null,
    storageProblem: null,
    retryAtMs: null,
    running: [],
    stopping: [],
    lastRun: null,
    search: null,
  };
  const listeners = new Set<() => void>();
  const generations = new Map<string, Generation>();
  let shelf: DraftShelf | null = null;
  let saver: ReturnType<typeof createDraftSaver> | null = null;
  let claims: DraftClaims | null = null;
  /** Counts the drafts that were asked for: an opening that took long must not replace a later one. */
  let openings = 0;

  const set = (change: Partial<PlaygroundState>, isUrgent = true): void => {
    const before = state.draft;
    state = { ...state, ...change };
    if (state.draft !== before && state.isLoaded) saver?.changed(state.draft, isUrgent);
    for (const listener of listeners) listener();
  };
  const changeDraft = (change: (draft: Draft) => Draft): void => {
    const draft = change(state.draft);
    if (draft !== state.draft) set({ draft });
  };

  const sinkFor = (key: string): GenerationDeps['sink'] => ({
    accepted: (run) => {
      changeDraft((draft) => acceptRun(draft, key, run.id));
      // The id is kept at once: a page that is closed now can show the end of the run later.
      void saver?.flush();
    },
    // Tokens are stored when the generation ends, or with the next change: the server has them meanwhile.
    arrived: (arrivals) => set({ draft: appendTokens(state.draft, arrivals) }, false),
    searched: (steps) => set({ search: { key, steps } }),
    restarted: () => changeDraft((draft) => restartGeneration(draft, key)),
    ended: (ending, run) => {
      const { draft } = state;
      const count = [...draft.nodes.values()]
        .filter((node) => node.run?.key === key)
        .reduce((sum, node) => sum + (node.tokens?.length ?? 0), 0);
      set({ draft: endGeneration(draft, ending), lastRun: run ?? state.lastRun, retryAtMs: null });
      deps.onEnded(run, `${count} ${count === 1 ? 'token' : 'tokens'} generated, ended by ${ending.finishes[0]}`);
    },
    reduced: (left) => {
      if (left.includes('seed')) changeDraft((draft) => unseedRun(draft, key));
    },
    refused: (error) => {
      const ending = { key, finishes: ['failed'], failure: messageOf(error) };
      set({ draft: endGeneration(state.draft, ending), problem: error, retryAtMs: null });
    },
    lost: (retryAtMs) => set({ retryAtMs }),
    found: () => {
      if (state.retryAtMs !== null) set({ retryAtMs: null });
    },
  });
  const follow = (generation: Generation): void => {
    const { key } = generation;
    generations.set(key, generation);
    set({ running: [...state.running, key] });
    void generation.done.then(() => {
      if (generations.get(key) !== generation) return;
      generations.delete(key);
      const without = (keys: readonly string[]): readonly string[] => keys.filter((each) => each !== key);
      set({ running: without(state.running), stopping: without(state.stopping) });
    });
  };
  const begin = (parent: NodeId): void => {
    const { draft } = state;
    const given = draft.parameters.seed;
    const seed = typeof given === 'number' ? given : deps.randomSeed();
    const parameters = { ...draft.parameters, seed };
    const key = deps.newId();
    const next = beginGeneration(draft, parent, { key, parameters, seed, sequences: sequencesOf(parameters) });
    const start = nodeOf(next, next.here).parent;
    const prompt = promptOf(next, start ?? next.root);
    set({ draft: next, problem: null });
    const sink = sinkFor(key);
    deps.promptData(prompt, parameters).then(
      (data) => {
        const optional = typeof given === 'number' ? PROCESSED : [...PROCESSED, 'seed'];
        const request = { key, pipelineId: deps.pipelineId(), data: [data, { ...ASKED, ...parameters }], optional };
        follow(startGeneration({ ...deps, sink }, request));
      },
      (error: unknown) => sink.refused(error),
    );
  };
  const leaveAll = (): void => {
    for (const generation of generations.values()) generation.leave();
    generations.clear();
    set({ running: [], stopping: [], retryAtMs: null });
  };
  const show = async (opening: () => Promise<Awaited<ReturnType<typeof openDraft>>>): Promise<void> => {
    const mine = ++openings;
    leaveAll();
    await saver?.flush();
    const { draft, revision, notice } = await opening();
    if (mine !== openings) return;
    set({ draft, isLoaded: false, notice, problem: null, lastRun: null });
    saver?.opened(revision === 0 ? { ...draft, nodes: new Map() } : draft, revision);
    set({ isLoaded: true });
    for (const { key, runId } of openRuns(draft)) {
      const sink = sinkFor(key);
      if (runId !== null) follow(resumeGeneration({ ...deps, sink }, key, runId));
      else changeDraft((open) => endGeneration(open, { key, finishes: ['cancelled'], failure: null }));
    }
  };
  /** Opens the shelf at first; null where the browser stores nothing, so that drafts are lost with the page. */
  const openShelf = async (): Promise<OpenDraftOptions | null> => {
    try {
      shelf ??= await deps.openShelf();
    } catch (storageProblem) {
      set({ storageProblem });
      return null;
    }
    saver ??= createDraftSaver({
      shelf,
      nowMs: deps.nowMs,
      later: deps.later,
      newId: deps.newId,
      onCopied: (copy) =>
        set({
          draft: { ...state.draft, id: copy.id },
          notice: 'Another tab has changed this draft. This is a copy.',
        }),
      onError: (storageProblem) => set({ storageProblem }),
    });
    claims ??= deps.openClaims();
    return { shelf, claims, newId: deps.newId, parameters: deps.defaults };
  };
  const openStored = async (id?: string): Promise<void> => {
    const options = await openShelf();
    try {
      if (options !== null) await show(async () => await openDraft(options, id));
    } catch (storageProblem) {
      set({ storageProblem });
    }
    set({ isLoaded: true });
  };

  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open: async (id) => await openStored(id),
    openNew: async () => await openStored(deps.newId()),
    async openMade(make) {
      try {
        const draft = await make(deps.newId());
        const options = await openShelf();
        await show(async () => {
          await options?.claims.claim(draft.id);
          return { draft, revision: 0, notice: null };
        });
        saver?.changed(state.draft);
      } catch (problem) {
        await openStored();
        set({ problem });
      }
    },
    drafts: async () => (await shelf?.list()) ?? [],
    async removeDraft(id) {
      await shelf?.remove(id);
      if (id === state.draft.id) await openStored();
    },
    change: changeDraft,
    edit: (change) => changeDraft((draft) => editText(draft, change, deps.nowMs())),
    undo: () => changeDraft(undo),
    redo: () => changeDraft(redo),
    generate() {
      if (state.running.length === 0 && textOf(state.draft) !== '') begin(state.draft.here);
    },
    retry() {
      const point = retryPointOf(state.draft);
      if (point !== null) begin(point.parent);
    },
    stop() {
      for (const generation of generations.values()) generation.stop();
      set({ stopping: [...generations.keys()] });
    },
    goToSibling(step, node) {
      const at = node ?? seamsOf(state.draft).at(-1)?.node;
      if (at !== undefined) changeDraft((draft) => goToBranch(draft, siblingOf(draft, at, step)));
    },
    goToParent() {
      // A continuation that has been split is one step.
      const { parent } = nodeOf(state.draft, firstOf(state.draft, state.draft.here));
      if (parent !== null) changeDraft((draft) => stepTo(draft, parent));
    },
    goTo: (node) => changeDraft((draft) => stepTo(draft, node)),
    goToBranch: (node) => changeDraft((draft) => goToBranch(draft, node)),
    take(node, token, alternative) {
      const there = token === 0 ? branchWith(state.draft, node, alternative.id) : null;
      if (there !== null) changeDraft((draft) => goToBranch(draft, there));
      else {
        changeDraft((draft) => takeAlternative(draft, node, token, alternative));
        begin(state.draft.here);
      }
    },
    takeInText(offset, alternative, top) {
      changeDraft((draft) => takeInText(draft, offset, alternative, top));
      begin(state.draft.here);
    },
    adopt: (output, parameters) =>
      changeDraft((draft) => {
        const added = withChild(draft, { ...output, parent: draft.here });
        return { ...stepTo(added.draft, added.id), parameters };
      }),
    star: (node, isStarred) => changeDraft((draft) => starNode(draft, node, isStarred)),
    rename: (node, name) => changeDraft((draft) => renameNode(draft, node, name)),
    remove: (node) => changeDraft((draft) => deleteNode(draft, node)),
    renameDraft: (name) => changeDraft((draft) => ({ ...draft, name })),
    setParameters: (parameters) => changeDraft((draft) => ({ ...draft, parameters })),
    toggleSeedLock: () =>
      changeDraft((draft) => {
        const { seed: locked, ...free } = draft.parameters;
        if (locked !== undefined) return { ...draft, parameters: free };
        const last = pathOf(draft).findLast((node) => node.run?.seed != null)?.run?.seed;
        return { ...draft, parameters: { ...free, seed: last ?? deps.randomSeed() } };
      }),
    dismissProblem: () => set({ problem: null }),
    dismissNotice: () => set({ notice: null }),
    async flush() {
      await saver?.flush();
    },
    async close() {
      openings++;
      leaveAll();
      claims?.close();
      claims = null;
      await saver?.flush();
    },
  };
}

function sequencesOf({ num_return_sequences: count }: Parameters): number {
  return typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= 64 ? count : 1;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the request failed';
}
