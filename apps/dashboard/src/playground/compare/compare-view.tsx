import { useEffect, useState, useSyncExternalStore } from 'react';
import { Button, IconButton } from '../../ui/button.tsx';
import { DiffText } from '../../ui/diff.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { formatCount, formatDecimals, formatDigits, formatPlural } from '../../ui/formats.ts';
import { useIsPhone } from '../../ui/media.ts';
import { type Draft, textOf } from '../document/draft.ts';
import { meanLogprob } from '../document/mean-logprob.ts';
import { promptOf } from '../document/prompt.ts';
import { firstDifference } from '../replay/first-difference.ts';
import { browserDeps } from '../store/browser-playground.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import { ColumnModel } from './column-model.tsx';
import { ColumnParameters } from './column-parameters.tsx';
import {
  type CompareColumn,
  type CompareStore,
  createCompareStore,
  differingNames,
  MAX_COLUMNS,
} from './compare-store.ts';
import { ScoredText } from './scored-text.tsx';

const LETTERS = 'ABCD';

/** One prompt and one seed under several sets of parameters or by several models, side by side. */
export function CompareView({
  store,
  draft,
  onAdopted,
}: {
  readonly store: PlaygroundStore;
  readonly draft: Draft;
  readonly onAdopted: () => void;
}) {
  const [compare] = useState(() => createCompareStore(browserDeps(), draft.parameters));
  const { columns, seed } = useSyncExternalStore(compare.subscribe, compare.get);
  useEffect(() => () => compare.close(), [compare]);
  const [edited, setEdited] = useState<string | null>(null);
  const [shown, setShown] = useState(0);
  const isPhone = useIsPhone();
  const text = textOf(draft);
  const isRunning = columns.some((column) => column.isRunning);
  const isFull = columns.length >= MAX_COLUMNS;
  const names = differingNames(columns);
  const open = columns.find(({ id }) => id === edited);
  return (
    <div className="playground-compare">
      <div className="playground-compare-head">
        <p className="playground-compare-prompt ui-cut">
          <span className="ui-muted">Prompt </span>
          {text === '' ? 'The draft is empty: write a prompt first.' : text}
        </p>
        <div className="ui-actions">
          {seed !== null && (
            <span className="ui-muted">
              seed <code>{seed}</code> for {columns.length === 2 ? 'both' : 'all'}
            </span>
          )}
          {isPhone ? (
            <>
              <IconButton label="Swap A and B" icon="swap" onPress={compare.swap} />
              <IconButton label="Add a column" icon="plus" isDisabled={isFull} onPress={compare.add} />
            </>
          ) : (
            <>
              <Button size="small" look="quiet" icon="swap" onPress={compare.swap}>
                Swap A and B
              </Button>
              <Button size="small" look="quiet" icon="plus" isDisabled={isFull} onPress={compare.add}>
                Column
              </Button>
            </>
          )}
          {isRunning ? (
            <Button size="small" icon="stop" onPress={compare.stop}>
              Stop
            </Button>
          ) : (
            <Button
              size="small"
              look="primary"
              icon="play"
              isDisabled={text === ''}
              onPress={() => compare.generate(promptOf(draft))}
            >
              {columns.length === 2 ? 'Generate both' : 'Generate all'}
            </Button>
          )}
        </div>
      </div>
      {isPhone && (
        <div className="playground-views playground-compare-tabs">
          {columns.map(({ id }, at) => (
            <button
              key={id}
              type="button"
              className="playground-view"
              aria-current={at === shown ? 'true' : undefined}
              onClick={() => setShown(at)}
            >
              {LETTERS[at]}
            </button>
          ))}
        </div>
      )}
      <div className="playground-columns">
        {columns.map((column, at) =>
          isPhone && at !== Math.min(shown, columns.length - 1) ? null : (
            <Column
              key={column.id}
              column={column}
              letter={LETTERS[at] ?? ''}
              reference={at === 0 ? columns[1] : columns[0]}
              referenceLetter={LETTERS[at === 0 ? 1 : 0] ?? ''}
              names={names}
              canRemove={columns.length > 2}
              compare={compare}
              onParameters={() => setEdited(column.id)}
              onAdopt={() => {
                if (column.output === null) return;
                store.adopt(column.output, column.parameters);
                onAdopted();
              }}
            />
          ),
        )}
      </div>
      {open !== undefined && (
        <ColumnParameters
          title={`Parameters of ${LETTERS[columns.indexOf(open)]}`}
          parameters={open.parameters}
          onChange={(parameters) => compare.setParameters(open.id, parameters)}
          onClose={() => setEdited(null)}
        />
      )}
    </div>
  );
}

function Column({
  column,
  letter,
  reference,
  referenceLetter,
  names,
  canRemove,
  compare,
  onParameters,
  onAdopt,
}: {
  readonly column: CompareColumn;
  readonly letter: string;
  /** The column that the text is compared with. */
  readonly reference: CompareColumn | undefined;
  readonly referenceLetter: string;
  readonly names: readonly string[];
  readonly canRemove: boolean;
  readonly compare: CompareStore;
  readonly onParameters: () => void;
  readonly onAdopt: () => void;
}) {
  const tokens = column.output?.tokens ?? [];
  const other = reference?.output?.tokens ?? [];
  // While one is behind, what it has not reached yet is no difference.
  const isPartial = column.isRunning || reference?.isRunning === true;
  const length = isPartial ? Math.min(tokens.length, other.length) : Number.POSITIVE_INFINITY;
  const from = reference?.output == null ? null : firstDifference(tokens.slice(0, length), other.slice(0, length));
  const mean = meanLogprob(tokens);
  const ms = column.run?.computeTimeMs ?? 0;
  const score = column.score?.by === reference?.id ? (column.score?.result ?? null) : null;
  const isEmpty = tokens.length === 0 || column.isRunning;
  return (
    <section className="playground-column" aria-label={`Column ${letter}`}>
      <header className="playground-column-head">
        <h2>{letter}</h2>
        <ColumnModel letter={letter} model={column.model} onChange={(model) => compare.setModel(column.id, model)} />
        <ul className="playground-differing">
          {names.map((name) => (
            <li key={name}>
              {name} <strong>{shownValue(column.parameters[name])}</strong>
            </li>
          ))}
          {names.length === 0 && <li className="ui-muted">the same parameters</li>}
        </ul>
        <div className="ui-actions">
          <IconButton label={`Parameters of ${letter}`} icon="sliders" size="small" onPress={onParameters} />
          {canRemove && (
            <IconButton
              label={`Remove ${letter}`}
              icon="close"
              size="small"
              onPress={() => compare.remove(column.id)}
            />
          )}
        </div>
      </header>
      {column.problem !== null && <ErrorPanel error={column.problem} />}
      <div className="playground-column-text">
        {score === null ? (
          <DiffText tokens={tokens} from={from} />
        ) : (
          <ScoredText tokens={tokens} logprobs={score.logprobs} letter={referenceLetter} />
        )}
      </div>
      <footer className="playground-note">
        <span>{column.isRunning ? 'generating' : formatPlural(tokens.length, 'token')}</span>
        {mean !== null && (
          <span>
            mean {formatDecimals(mean.mean, 2)} nat · perplexity {formatDigits(mean.perplexity, 3)}
          </span>
        )}
        {ms > 0 && <span>{formatDigits(tokens.length / (ms / 1000), 3)} tokens/s</span>}
        {from !== null && <span>first difference: token {from + 1}</span>}
        <span className="playground-column-actions">
          <Button size="small" look="quiet" icon="pen" isDisabled={isEmpty} onPress={onAdopt}>
            Make {letter} the draft
          </Button>
          {reference !== undefined && (
            <Button
              size="small"
              look="quiet"
              icon="chart"
              isDisabled={isEmpty}
              isPending={column.score !== null && column.score.result === null}
              onPress={() => void compare.score(column.id, reference.id)}
            >
              Score {letter} by {referenceLetter}
            </Button>
          )}
          {score !== null && (
            <span className="playground-column-score">
              <span>
                under {referenceLetter}: {scoreText(score, tokens.length)} · coloured by its chances
              </span>
              <IconButton
                label={`Hide the score of ${letter}`}
                icon="close"
                size="small"
                onPress={() => compare.clearScore(column.id)}
              />
            </span>
          )}
        </span>
      </footer>
    </section>
  );
}

/** `mean −3.00 nat · 2 of 32 impossible` */
function scoreText(
  { mean, possible, logprobs }: NonNullable<NonNullable<CompareColumn['score']>['result']>,
  length: number,
): string {
  const tokens = logprobs.length;
  const facts = [
    mean === null ? null : `mean ${formatDecimals(mean, 2)} nat`,
    possible < tokens ? `${formatCount(tokens - possible)} of ${formatPlural(tokens, 'token')} impossible` : null,
    tokens < length ? `would end after ${formatPlural(tokens, 'token')}` : null,
  ];
  return facts.filter((fact) => fact !== null).join(' · ');
}

function shownValue(value: unknown): string {
  return value === undefined ? 'default' : JSON.stringify(value);
}
