import { queryOptions } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';

/** Prompt and parameters of a run, which never change. */
export function inputQuery(runId: string) {
  return queryOptions({
    queryKey: [...keys.run(runId), 'input'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => cloud().runs.input(runId, { signal }),
  });
}

/** The text of a prompt; token ids are turned into text by the server. */
export function promptQuery(runId: string, prompt: string | readonly number[]) {
  return queryOptions({
    queryKey: [...keys.run(runId), 'prompt'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<string> =>
      typeof prompt === 'string' ? prompt : (await cloud().text.detokenize(prompt, { signal })).text,
  });
}
