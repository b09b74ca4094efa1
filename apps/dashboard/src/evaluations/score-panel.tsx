import { GPTJ_TODAY, PUBLISHED_MODELS, SCORE_COLUMNS } from '@gptj-cloud/model';
import type { Evaluation } from '@gptj-cloud/sdk';
import { Chart } from '../ui/chart.tsx';
import { columnName, formatPublished, formatScore, formsOf, isInTable, isShare, scoreOf } from './scores.ts';
import { Scroll } from './scroll.tsx';

/** The columns of accuracies, which the chart has. */
const ACCURACIES = SCORE_COLUMNS.map((column, at) => ({ column, at })).filter(({ column }) => isShare(column.metric));

/** The scores beside the published table, and every score of the report. */
export function ScorePanel({ evaluation }: { readonly evaluation: Evaluation }) {
  return (
    <>
      {isInTable(evaluation) && (
        <>
          <AccuracyChart evaluation={evaluation} />
          <PublishedTable evaluation={evaluation} />
        </>
      )}
      <section className="ui-panel">
        <h2 id="evaluations-metrics">Scores</h2>
        <Scroll labelledBy="evaluations-metrics">
          <table className="evaluations-table">
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Form</th>
                <th scope="col">Metric</th>
                <th scope="col" className="ui-number">
                  Value
                </th>
                <th scope="col" className="ui-number">
                  Documents
                </th>
              </tr>
            </thead>
            <tbody>
              {evaluation.tasks.flatMap(({ task, form, shots, metrics, documentCount }) =>
                metrics.map((metric) => (
                  <tr key={`${form} ${task} ${metric.metric}`}>
                    <th scope="row">{shots === 0 ? task : `${task}, ${shots} shots`}</th>
                    <td>{form}</td>
                    <td>{metric.metric}</td>
                    <td className="ui-number">{formatScore(metric)}</td>
                    <td className="ui-number">{documentCount.toLocaleString('en-US')}</td>
                  </tr>
                )),
              )}
            </tbody>
          </table>
        </Scroll>
      </section>
    </>
  );
}

function AccuracyChart({ evaluation }: { readonly evaluation: Evaluation }) {
  const published = PUBLISHED_MODELS.find(({ name }) => name.startsWith('GPT-J'));
  const chance = PUBLISHED_MODELS.find(({ name }) => name === 'Chance');
  const own = formsOf(evaluation).map((form) => ({
    name: `This model, form ${form}`,
    values: ACCURACIES.map(({ column }) => {
      const value = scoreOf(evaluation, form, column)?.value ?? null;
      return value === null ? null : value * 100;
    }),
  }));
  const others = [published, chance].flatMap((model) =>
    model === undefined ? [] : [{ name: model.name, values: ACCURACIES.map(({ at }) => model.scores[at] ?? null) }],
  );
  return (
    <section className="ui-panel">
      <Chart
        label="Accuracy in per cent"
        places={ACCURACIES.map(({ column }) => columnName(column))}
        series={[...own, ...others]}
        isStacked={false}
        isCategories
        format={(value) => value.toFixed(0)}
      />
    </section>
  );
}

function PublishedTable({ evaluation }: { readonly evaluation: Evaluation }) {
  return (
    <section className="ui-panel">
      <h2 id="evaluations-published">Beside the published table</h2>
      <p className="ui-muted">
        After ± is half a 95 % interval. Compare the form published with these numbers: requests of the form harness
        reach the model in another way. * reported by the authors, ‡ training data may contain test sets.
      </p>
      <Scroll labelledBy="evaluations-published">
        <table className="evaluations-table">
          <thead>
            <tr>
              <th scope="col">Model</th>
              {SCORE_COLUMNS.map((column) => (
                <th key={columnName(column)} scope="col" className="ui-number">
                  {columnName(column)} {isShare(column.metric) ? '↑' : '↓'}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {formsOf(evaluation).map((form) => (
              <tr key={form} className="evaluations-own">
                <th scope="row">This model, form {form}</th>
                {SCORE_COLUMNS.map((column) => {
                  const score = scoreOf(evaluation, form, column);
                  return (
                    <td key={columnName(column)} className="ui-number">
                      {score === null ? '–' : formatScore(score)}
                    </td>
                  );
                })}
              </tr>
            ))}
            {[...PUBLISHED_MODELS, GPTJ_TODAY].map(({ name, scores }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {SCORE_COLUMNS.map((column, at) => (
                  <td key={columnName(column)} className="ui-number">
                    {scores[at] === null || scores[at] === undefined ? '–' : formatPublished(column.metric, scores[at])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
