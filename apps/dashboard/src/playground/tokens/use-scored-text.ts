/** Log-probabilities of text that was typed: the model reads it as a prompt, when the user asks for them. */
import { parseTokenLogprob } from '@gptj-cloud/sdk';
import { useMutation } from '@tanstack/react-query';
import { useMemo } from 'react';
import { cloud } from '../../api/cloud.ts';
import { alignText } from '../document/align-text.ts';
import { type DraftNode, type DraftToken, emptyNode } from '../document/draft.ts';
import { chosenModel, chosenPipeline } from '../model/chosen-model.ts';

/** Id of the node that stands for the scored text; no node of a draft has it. */
export const SCORED = 'scored';
const TOP_COUNT = 10;

export interface ScoredText {
  /** The path with the text up to its last typed node as one node of tokens, where that text has been scored. */
  readonly path: readonly DraftNode[];
  /** Whether there is typed text without log-probabilities. */
  readonly canScore: boolean;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly score: () => void;
}

export function useScoredText(path: readonly DraftNode[]): ScoredText {
  const count = path.findLastIndex((node) => node.tokens === null && node.text !== '') + 1;
  const text = path
    .slice(0, count)
    .map((node) => node.text)
    .join('');
  const { data, mutate, isPending, error } = useMutation({ mutationFn: scoreText });
  const tokens = data?.text === text ? data.tokens : null;
  const shown = useMemo(
    () =>
      tokens === null ? path : [{ ...emptyNode(SCORED, null, 'typed' as const), text, tokens }, ...path.slice(count)],
    [path, tokens, text, count],
  );
  return { path: shown, canScore: count > 0 && tokens === null, isPending, error, score: () => mutate(text) };
}

/** The run generates nothing: it costs the tokens of the text. The first token has no log-probability. */
async function scoreText(text: string): Promise<{ readonly text: string; readonly tokens: readonly DraftToken[] }> {
  const model = chosenModel()?.name;
  const { tokens: ids, texts } = await cloud().text.tokenize(text, model === undefined ? {} : { model });
  const parameters = { max_new_tokens: 0, prompt_logprobs: TOP_COUNT, return_dict_in_generate: true };
  const { resultPreview } = ids.length < 2 ? {} : await cloud().runPipeline(chosenPipeline(), [ids, parameters]);
  const result: unknown = resultPreview?.[0];
  const list =
    typeof result === 'object' && result !== null && 'prompt_logprobs' in result ? result.prompt_logprobs : [];
  const reports = Array.isArray(list) ? list.map(parseTokenLogprob) : [];
  const bare = ids.map((id, at): DraftToken => {
    const report = reports[at - 1];
    const top = report?.top.map(({ token, text: label, logprob }) => ({ id: token, label, logprob })) ?? [];
    return { id, text: '', label: texts[at] ?? null, logprob: report?.logprob ?? null, top };
  });
  return { text, tokens: alignText(bare, text) };
}
