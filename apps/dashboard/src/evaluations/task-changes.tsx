import type { EvaluationComparison } from '@gptj-cloud/sdk';
import { formatCount } from '../ui/formats.ts';
import { formatScore } from './scores.ts';
import { Scroll } from './scroll.tsx';

type TaskChange = EvaluationComparison['tasks'][number];

/** The scores of both evaluations with paired tests, and how many answers differ. */
export function TaskChanges({
  tasks,
  comparison,
}: {
  /** Those with documents. */
  readonly tasks: readonly TaskChange[];
  readonly comparison: EvaluationComparison;
}) {
  const leftOut = [
    ...comparison.tasks
      .filter(({ documents }) => documents === 0)
      .map((each) => `${nameOf(each)} (no documents in both)`),
    ...comparison.leftOut.map(
      (each) => `${nameOf(each)} (${each.reason === 'absent' ? 'only in the first one' : 'other requests'})`,
    ),
  ];
  return (
    <>
      <section className="ui-panel">
        <h2 id="evaluations-scores">Scores</h2>
        <p className="ui-muted">
          Of the documents that both have. p is the probability of a change at least this uneven where both are equally
          good (McNemar’s exact test); the interval of a perplexity is that of a bootstrap over documents.
        </p>
        <Scroll labelledBy="evaluations-scores">
          <table className="evaluations-table">
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Metric</th>
                {['Before', 'After', 'Gained', 'Lost', 'Test'].map((name) => (
                  <th key={name} scope="col" className="ui-number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{tasks.map(scoreRows)}</tbody>
          </table>
        </Scroll>
      </section>
      <section className="ui-panel">
        <h2 id="evaluations-answers">Answers</h2>
        <p className="ui-muted">
          Answers that flipped may leave the accuracy as it was. The KL divergence is that of the probabilities of the
          answers, in nats, mean of documents.
        </p>
        <Scroll labelledBy="evaluations-answers">
          <table className="evaluations-table">
            <thead>
              <tr>
                <th scope="col">Task</th>
                {['Documents', 'Flipped', 'KL divergence', 'Mean change of a log-likelihood'].map((name) => (
                  <th key={name} scope="col" className="ui-number">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {tasks.map((task) => (
                <tr key={task.index}>
                  <th scope="row">{nameOf(task)}</th>
                  <td className="ui-number">{formatCount(task.documents)}</td>
                  <td className="ui-number">
                    {formatCount(task.flips)} ({((100 * task.flips) / Math.max(1, task.documents)).toFixed(1)} %)
                  </td>
                  <td className="ui-number">{divergenceOf(task)}</td>
                  <td className="ui-number">
                    {task.meanDifference === null ? '–' : task.meanDifference.toPrecision(2)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
        {leftOut.length > 0 && <p className="ui-muted">Not compared: {leftOut.join(', ')}.</p>}
      </section>
    </>
  );
}

export function nameOf({ task, form }: Pick<TaskChange, 'task' | 'form'>): string {
  return `${task}, ${form}`;
}

function scoreRows(task: TaskChange) {
  const { index, accuracies, perplexity } = task;
  const score = (metric: string, value: number): string => formatScore({ metric, value, standardError: null });
  return [
    ...accuracies.map(({ metric, before, after, gained, lost, p }) => (
      <tr key={`${index} ${metric}`}>
        <th scope="row">{nameOf(task)}</th>
        <td>{metric}</td>
        <td className="ui-number">{score(metric, before)}</td>
        <td className="ui-number">{score(metric, after)}</td>
        <td className="ui-number">{formatCount(gained)}</td>
        <td className="ui-number">{formatCount(lost)}</td>
        <td className="ui-number">{p < 0.001 ? 'p < 0.001' : `p ${p.toFixed(3)}`}</td>
      </tr>
    )),
    ...(perplexity === null
      ? []
      : [
          <tr key={`${index} perplexity`}>
            <th scope="row">{nameOf(task)}</th>
            <td>perplexity</td>
            <td className="ui-number">{score('perplexity', perplexity.before)}</td>
            <td className="ui-number">{score('perplexity', perplexity.after)}</td>
            <td className="ui-number" colSpan={3}>
              {signed(perplexity.difference)}, 95 % from {signed(perplexity.low)} to {signed(perplexity.high)}
            </td>
          </tr>,
        ]),
  ];
}

function signed(value: number): string {
  return `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toPrecision(2)}`;
}

function divergenceOf({ divergence }: TaskChange): string {
  if (divergence === null) return '–';
  const { mean, standardError } = divergence;
  return `${mean.toPrecision(2)}${standardError === null ? '' : ` ± ${(1.96 * standardError).toPrecision(1)}`}`;
}
