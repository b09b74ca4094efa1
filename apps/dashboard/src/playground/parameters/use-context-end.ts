import { useQuery } from '@tanstack/react-query';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { useChosenModel } from '../model/chosen-model.ts';

/** Where a prompt that is too long leaves the context, with one token left to generate. */
export interface ContextEnd {
  /** Number of tokens that do not fit. */
  readonly surplus: number;
  /** Offset in the text, in UTF-16 units, before which everything fits. */
  readonly offset: number;
}

/** Null for a text that fits, and until the tokenizer has answered. */
export function useContextEnd(text: string, isTooLong: boolean): ContextEnd | null {
  const model = useChosenModel()?.name;
  const named = model === undefined ? {} : { model };
  const { data: tokens } = useQuery({
    queryKey: ['tokenized', text, model ?? null],
    queryFn: async ({ signal }) => await cloud().text.tokenize(text, { ...named, signal }),
    enabled: isTooLong,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  const { data: engine } = useQuery({
    queryKey: [...keys.engine, model ?? null],
    queryFn: ({ signal }) => cloud().engine.get({ ...named, signal }),
    enabled: isTooLong,
  });
  if (!isTooLong || tokens === undefined || engine === undefined) return null;
  const surplus = tokens.tokens.length - (engine.model.context ?? 2048) + 1;
  if (surplus <= 0) return null;
  const [...characters] = text;
  const fitting = characters.slice(0, tokens.offsets[tokens.tokens.length - surplus] ?? 0);
  return { surplus, offset: fitting.join('').length };
}
