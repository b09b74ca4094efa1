import type { EvaluationDocument } from '@gptj-cloud/sdk';
import { formatDecimals } from '../ui/formats.ts';
import { Continuation, DocumentPanel } from './document-parts.tsx';
import { formatMargin } from './scores.ts';

/** A document: its texts, and how likely the model finds each choice. */
export function DocumentView({
  document,
  isNormalized,
}: {
  readonly document: EvaluationDocument;
  /** Whether right and wrong mean `acc_norm`. */
  readonly isNormalized: boolean;
}) {
  const { id, choices, margin, answer } = document;
  const isRight = isNormalized ? document.isRightNormalized : document.isRight;
  return (
    <DocumentPanel
      id={id}
      texts={document}
      badge={
        isRight === null ? null : isRight ? { state: 'complete', label: 'right' } : { state: 'failed', label: 'wrong' }
      }
      score={
        margin !== null && (
          <span className="ui-number">
            {choices.length > 1 ? 'margin' : 'log-likelihood'} {formatMargin(margin)}
          </span>
        )
      }
    >
      <Choices document={document} />
      {answer !== null && (
        <>
          <h3>The model wrote</h3>
          <p className="evaluations-text">{answer}</p>
        </>
      )}
    </DocumentPanel>
  );
}

function Choices({ document }: { readonly document: EvaluationDocument }) {
  const { id, gold, choices, logLikelihoods, greedy, continuation, values } = document;
  const ranks = logLikelihoods.map((each) => 1 + logLikelihoods.filter((other) => other > each).length);
  return (
    <>
      {logLikelihoods.length > 0 && (
        <table className="evaluations-table evaluations-choices">
          <caption className="ui-hidden">Choices of document {id}</caption>
          <thead>
            <tr>
              <th scope="col">Choice</th>
              <th scope="col" className="ui-number">
                Log-likelihood
              </th>
              <th scope="col" className="ui-number">
                Rank
              </th>
              <th scope="col">Notes</th>
            </tr>
          </thead>
          <tbody>
            {logLikelihoods.map((each, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: choices keep their order.
              <tr key={at} className={at === gold ? 'evaluations-gold' : undefined}>
                <th scope="row">{choices[at] ?? `choice ${at + 1}`}</th>
                <td className="ui-number">{formatDecimals(each, 3)}</td>
                <td className="ui-number">{ranks[at]}</td>
                <td>
                  {[
                    ...(at === gold ? ['right choice'] : []),
                    ...(ranks[at] === 1 && logLikelihoods.length > 1 ? ['chosen'] : []),
                    ...(greedy[at] === true ? ['greedy'] : []),
                  ].join(', ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Continuation text={continuation} />
      <p className="ui-muted ui-number">
        {Object.entries(values)
          .map(([name, value]) => `${name} ${Number(value.toFixed(4))}`)
          .join(' · ')}
      </p>
    </>
  );
}
