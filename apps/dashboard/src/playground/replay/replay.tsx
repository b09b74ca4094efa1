import { useMutation } from '@tanstack/react-query';
import { askLess } from '../../api/ask-less.ts';
import { cloud } from '../../api/cloud.ts';
import { Button } from '../../ui/button.tsx';
import { Icon } from '../../ui/icons.tsx';
import { problemOf } from '../../ui/problem.ts';
import { visibleToken } from '../../ui/token-scale.ts';
import { alignText } from '../document/align-text.ts';
import { type Draft, type DraftNode, type DraftToken, UNKNOWN_TOKEN } from '../document/draft.ts';
import { promptOfRun, runTokens } from '../document/run-tokens.ts';
import { chosenPipeline } from '../model/chosen-model.ts';
import { promptData } from '../store/browser-playground.ts';
import { ASKED } from '../store/playground-store.ts';
import { arrivalsOfResult } from '../stream/arrivals.ts';
import { firstDifference } from './first-difference.ts';

interface Outcome {
  /** Null: the tokens of the run are not known, its text is. */
  readonly count: number | null;
  /** Null: the same ids. */
  readonly difference: { readonly index: number; readonly before: string; readonly after: string } | null;
}

/** Generates the same again, and says whether it is the same. */
export function Replay({ draft, node }: { readonly draft: Draft; readonly node: DraftNode }) {
  const replay = useMutation({
    mutationFn: async (): Promise<Outcome> => await repeat(draft, node),
  });
  const { data, isPending, error } = replay;
  const isDeterministic = node.run?.parameters.deterministic === true;
  return (
    <>
      <Button size="small" look="quiet" icon="refresh" isPending={isPending} onPress={() => replay.mutate()}>
        Replay
      </Button>
      {error !== null && <span className="playground-failed">{problemOf(error).message}</span>}
      {data?.difference === null && (
        <span className="playground-same" role="status">
          <Icon name="check" size={12} /> identical: the same {data.count === null ? 'text' : `${data.count} token ids`}
        </span>
      )}
      {data?.difference != null && (
        <span role="status">
          differs from token {data.difference.index + 1} on: <code>{data.difference.after}</code> instead of{' '}
          <code>{data.difference.before}</code>.{' '}
          {isDeterministic
            ? 'The first run was not computed in isolation, or by another model.'
            : 'Tokens of nearly equal chance can change places when other requests are computed beside them; the parameter deterministic excludes that.'}
        </span>
      )}
    </>
  );
}

async function repeat(draft: Draft, node: DraftNode): Promise<Outcome> {
  const { run } = node;
  if (run === null) throw new Error('expected a generated text');
  const before = runTokens(draft, run);
  const prompt = await promptData(promptOfRun(draft, node), run.parameters);
  const data = [prompt, { ...ASKED, ...run.parameters }];
  const again = await askLess(data, async (asked) => await cloud().runPipeline(chosenPipeline(), asked));
  const arrival = arrivalsOfResult('', again)[run.sequence];
  const after = arrival?.tokens ?? [];
  if (before.some(({ id }) => id === UNKNOWN_TOKEN)) {
    const text = before.map((token) => token.text).join('');
    return { count: null, difference: textDifference(text, arrival?.text ?? '', after) };
  }
  // A run that was stopped is compared as far as it came.
  const compared = run.finish === 'cancelled' ? after.slice(0, before.length) : after;
  const index = firstDifference(before, compared);
  if (index === null) return { count: before.length, difference: null };
  return { count: before.length, difference: { index, before: shown(before[index]), after: shown(compared[index]) } };
}

/** Where a text of unknown tokens differs from that of `tokens`. */
function textDifference(
  before: string,
  after: string,
  tokens: readonly Pick<DraftToken, 'label' | 'id'>[],
): Outcome['difference'] {
  if (before === after) return null;
  const length = Math.max(before.length, after.length);
  const at = Array.from({ length }).findIndex((_, place) => before[place] !== after[place]);
  const bare = tokens.map((token) => ({ ...token, text: '', logprob: null, top: [] }));
  let end = 0;
  const index = alignText(bare, after).findIndex((token) => {
    end += token.text.length;
    return end > at;
  });
  const rest = before.slice(at, at + 12);
  return {
    index: index < 0 ? tokens.length : index,
    before: rest === '' ? 'the end' : rest,
    after: shown(tokens[index]),
  };
}

function shown(token: Pick<DraftToken, 'label' | 'id'> | undefined): string {
  return token === undefined ? 'the end' : visibleToken(token.label ?? `id ${token.id}`);
}
