/** The playground's store in a browser: its database, its frames, its random numbers. */
import { type StreamOptions, throwIfFailed } from '@gptj-cloud/sdk';
import { cloud } from '../../api/cloud.ts';
import type { Parameters } from '../document/draft.ts';
import type { Prompt } from '../document/prompt.ts';
import { createDraftClaims } from '../drafts/draft-claims.ts';
import { openIndexedDbShelf } from '../drafts/indexed-db-shelf.ts';
import { chosenModel, chosenPipeline } from '../model/chosen-model.ts';
import {
  createPlaygroundStore,
  type GenerationTools,
  type PlaygroundDeps,
  type PlaygroundStore,
} from './playground-store.ts';

const DATABASE = 'gptj-playground';
const CHANNEL = 'gptj-playground';
/** Long enough for a tab in the background. */
const CLAIM_ANSWER_MS = 120;
/** Frames are not shown, and not called, while the page is hidden. */
const HIDDEN_FRAME_MS = 250;
const DEFAULTS: Parameters = { max_new_tokens: 64, temperature: 0.8 };

export function createBrowserPlayground(onEnded: PlaygroundDeps['onEnded']): PlaygroundStore {
  return createPlaygroundStore({
    ...browserDeps(),
    defaults: DEFAULTS,
    openShelf: () => openIndexedDbShelf(DATABASE),
    openClaims: () =>
      createDraftClaims({
        channel: new BroadcastChannel(CHANNEL),
        tabId: randomId(),
        answerTime: () => delay(CLAIM_ANSWER_MS),
      }),
    later: (task, delayMs) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    onEnded,
  });
}

/** What generations need of a browser. */
export function browserDeps(): GenerationTools {
  return {
    pipelineId: chosenPipeline,
    api: {
      streamPipeline: (pipelineId: string, data: readonly unknown[], options?: StreamOptions) =>
        cloud().streamPipeline(pipelineId, data, options),
      followRun: (...call) => cloud().followRun(...call),
      cancelRun: (...call) => cloud().cancelRun(...call),
    },
    complete: async (pipelineId, data) => throwIfFailed(await cloud().runPipeline(pipelineId, data)),
    onFrame: (task) => {
      if (document.hidden) setTimeout(task, HIDDEN_FRAME_MS);
      else requestAnimationFrame(task);
    },
    nowMs: () => Date.now(),
    pause: delay,
    newId: randomId,
    randomSeed: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    promptData,
  };
}

/** Text as it is; exact tokens after the token ids of the text before them. */
export async function promptData(
  prompt: Prompt,
  parameters: Parameters,
  model: string | undefined = chosenModel()?.name,
): Promise<string | readonly number[]> {
  if (prompt.tokens.length === 0) return prompt.text;
  if (prompt.text === '') return prompt.tokens;
  const splitSpecialTokens = parameters.split_special_tokens === true;
  const { tokens } = await cloud().text.tokenize(prompt.text, {
    splitSpecialTokens,
    ...(model === undefined ? {} : { model }),
  });
  return [...tokens, ...prompt.tokens];
}

/** Not `randomUUID`, which browsers have on https alone. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `pg-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function delay(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
