import { bestIndex } from '@gptj-cloud/model';
import type { DocumentChange, EvaluationDocument } from '@gptj-cloud/sdk';
import { formatDecimals } from '../ui/formats.ts';
import { Continuation, DocumentPanel } from './document-parts.tsx';
import { formatMargin } from './scores.ts';

/** A document with the answers of both evaluations side by side. */
export function ChangeView({
  change,
  isNormalized,
}: {
  readonly change: DocumentChange;
  /** Whether right and wrong mean `acc_norm`. */
  readonly isNormalized: boolean;
}) {
  const { id, before, after } = change;
  // The texts are the same; one upload may be without them.
  const { context, choices, continuation } = before.context === null ? after : before;
  return (
    <DocumentPanel
      id={id}
      texts={{ context, choices }}
      badge={labelOf(change, isNormalized)}
      score={
        before.margin !== null &&
        after.margin !== null && (
          <span className="ui-number">
            {before.logLikelihoods.length > 1 ? 'margin' : 'log-likelihood'} {formatMargin(before.margin)}
            <span aria-hidden="true"> → </span>
            <span className="ui-hidden"> to </span>
            {formatMargin(after.margin)}
          </span>
        )
      }
    >
      {before.logLikelihoods.length > 0 && <Choices change={change} choices={choices} />}
      <Continuation text={continuation} />
      {(before.answer !== null || after.answer !== null) && (
        <div className="evaluations-answers">
          <Written title="Before" document={before} />
          <Written title="After" document={after} />
        </div>
      )}
    </DocumentPanel>
  );
}

function labelOf(
  { isFlipped, before, after }: DocumentChange,
  isNormalized: boolean,
): { readonly state: string; readonly label: string } | null {
  const right = ({ isRight, isRightNormalized }: EvaluationDocument): boolean | null =>
    isNormalized ? isRightNormalized : isRight;
  if (right(before) === false && right(after) === true) return { state: 'complete', label: 'gained' };
  if (right(before) === true && right(after) === false) return { state: 'failed', label: 'lost' };
  return isFlipped ? { state: 'running', label: 'flipped' } : null;
}

function Choices({ change, choices }: { readonly change: DocumentChange; readonly choices: readonly string[] }) {
  const { id, before, after } = change;
  const isOne = before.logLikelihoods.length === 1;
  const chosen = [before, after].map(({ logLikelihoods }) => bestIndex(logLikelihoods));
  const notesOf = (at: number): string =>
    [
      ...(at === before.gold ? ['right choice'] : []),
      ...(isOne || chosen[0] !== at ? [] : ['chosen before']),
      ...(isOne || chosen[1] !== at ? [] : ['chosen after']),
      ...(isOne && before.greedy[at] === true ? ['greedy before'] : []),
      ...(isOne && after.greedy[at] === true ? ['greedy after'] : []),
    ].join(', ');
  return (
    <table className="evaluations-table evaluations-choices">
      <caption className="ui-hidden">Choices of document {id}</caption>
      <thead>
        <tr>
          <th scope="col">Choice</th>
          <th scope="col" className="ui-number">
            Before
          </th>
          <th scope="col" className="ui-number">
            After
          </th>
          <th scope="col">Notes</th>
        </tr>
      </thead>
      <tbody>
        {before.logLikelihoods.map((each, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: choices keep their order.
          <tr key={at} className={at === before.gold ? 'evaluations-gold' : undefined}>
            <th scope="row">{choices[at] ?? `choice ${at + 1}`}</th>
            <td className="ui-number">{formatDecimals(each, 3)}</td>
            <td className="ui-number">
              {after.logLikelihoods[at] === undefined ? '–' : formatDecimals(after.logLikelihoods[at], 3)}
            </td>
            <td>{notesOf(at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Written({ title, document }: { readonly title: string; readonly document: EvaluationDocument }) {
  return (
    <div>
      <h3>{title}</h3>
      <p className="evaluations-text">{document.answer ?? 'not stored'}</p>
    </div>
  );
}
