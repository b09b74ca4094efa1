import type { RunCheck } from '@gptj-cloud/sdk';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { formatPlural } from '../../ui/formats.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import { fitOffer } from './fit-offer.ts';
import type { ContextEnd } from './use-context-end.ts';

/** Buttons that make a refused run fit. */
export function FitOffers({
  store,
  check,
  text,
  contextEnd,
}: {
  readonly store: PlaygroundStore;
  readonly check: RunCheck;
  /** The prompt. */
  readonly text: string;
  readonly contextEnd: ContextEnd | null;
}) {
  const { newTokens, hasPlans } = fitOffer(check);
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
      {contextEnd !== null && (
        <span>
          Shorten it by {formatPlural(contextEnd.surplus, 'token')}: what fits ends before “
          {[...text.slice(contextEnd.offset, contextEnd.offset + 48).trimStart()].slice(0, 24).join('')}…”.
        </span>
      )}
    </>
  );
}
