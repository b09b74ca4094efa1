import type { RunCheck } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../../api/cloud.ts';
import { keys } from '../../api/keys.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { formatPlural } from '../../ui/formats.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import { fitOffer } from './fit-offer.ts';

/** Buttons that make a refused run fit. */
export function FitOffers({
  store,
  check,
  text,
}: {
  readonly store: PlaygroundStore;
  readonly check: RunCheck;
  /** The prompt. */
  readonly text: string;
}) {
  const { newTokens, hasPlans, isPromptTooLong } = fitOffer(check);
  const shorten = (): void => {
    const { response_length: _, max_length: __, ...parameters } = store.get().draft.parameters;
    store.setParameters({ ...parameters, max_new_tokens: newTokens });
  };
  return (
    <>
      {newTokens !== null && (
        <Button size="small" onPress={shorten}>
          Use ≤ {formatPlural(newTokens, 'token')}
        </Button>
      )}
      {hasPlans && (
        <ButtonLink to="/plan" size="small">
          See plans
        </ButtonLink>
      )}
      {isPromptTooLong && <Surplus text={text} />}
    </>
  );
}

/** By how much the prompt exceeds the context, with one token left to generate. */
function Surplus({ text }: { readonly text: string }) {
  const { data: tokens } = useQuery({
    queryKey: ['tokenized', text],
    queryFn: async ({ signal }) => await cloud().text.tokenize(text, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  const { data: engine } = useQuery({
    queryKey: keys.engine,
    queryFn: ({ signal }) => cloud().engine.get({ signal }),
  });
  if (tokens === undefined || engine === undefined) return null;
  const surplus = tokens.tokens.length - (engine.model.context ?? 2048) + 1;
  if (surplus <= 0) return null;
  const cut = tokens.offsets[tokens.tokens.length - surplus] ?? 0;
  const [...letters] = text;
  const from = letters.slice(cut, cut + 24).join('');
  return (
    <span>
      Shorten it by {formatPlural(surplus, 'token')}: what fits ends before “{from}…”.
    </span>
  );
}
