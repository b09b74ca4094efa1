import { CutNote } from '../../ui/cut-note.tsx';
import { cutReason } from '../../ui/cut-reason.ts';
import { Sheet } from '../../ui/dialog.tsx';
import { formatDecimals, formatDigits } from '../../ui/formats.ts';
import { formatChance, visibleToken } from '../../ui/token-scale.ts';
import { type Draft, type NodeId, nodeOf, textOf } from '../document/draft.ts';
import { parametersOf, type SeamBranch, seamChoices } from '../document/seam-choices.ts';
import type { PlaygroundStore } from '../store/playground-store.ts';
import '../../ui/token-text.css';
import './seam-sheet.css';

const SHOWN_LETTERS = 60;

/** The ways in which the text goes on where a node begins, each with the chance of its first token. */
export function SeamSheet({
  store,
  draft,
  node,
  onClose,
}: {
  readonly store: PlaygroundStore;
  readonly draft: Draft;
  readonly node: NodeId;
  readonly onClose: () => void;
}) {
  const { branches, reported, others } = seamChoices(draft, node);
  const { parent } = nodeOf(draft, node);
  const before = parent === null ? '' : textOf(draft, parent).replace(/\s+/g, ' ');
  const parameters = reported === null ? {} : parametersOf(draft, nodeOf(draft, reported.node));
  const hasProcessed = branches.some(({ first }) => first?.processed !== undefined);
  const lists = hasProcessed ? 'ui-alternatives ui-alternatives-processed' : 'ui-alternatives';
  return (
    <Sheet title="Continuations from here" isOpen onClose={onClose}>
      <p className="seam-before ui-muted">
        <bdi>{before.length > SHOWN_LETTERS ? `…${before.slice(-SHOWN_LETTERS)}` : before}</bdi>
      </p>
      <section aria-label="Branches">
        <ul className={`${lists} seam-branches`}>
          {hasProcessed && (
            <li className="ui-alternative-heads" aria-hidden="true">
              <span>model</span>
              <span>run</span>
            </li>
          )}
          {branches.map((branch, at) => (
            <li key={branch.node}>
              <button
                type="button"
                className={`ui-alternative${branch.isHere ? ' ui-alternative-drawn' : ''}`}
                aria-current={branch.isHere ? 'true' : undefined}
                onClick={() => {
                  store.goToBranch(branch.node);
                  onClose();
                }}
              >
                <span className="ui-alternative-key">{at + 1}</span>
                <First branch={branch} hasProcessed={hasProcessed} />
                <span className="ui-alternative-note">{branch.isHere ? '✓ here' : 'go'}</span>
                <span className="seam-text">
                  <bdi className="ui-cut">{branch.text === '' ? 'nothing yet' : branch.text}</bdi>
                  {branch.mean !== null && <span>mean {formatDigits(branch.mean, 2)} nat</span>}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {reported !== null && others.length > 0 && (
        <section aria-label="Other tokens">
          <h3 className="seam-others">Other tokens here</h3>
          <ul className={lists}>
            {others.map((each) => {
              const cut = cutReason(reported.token, parameters, reported.token.top.indexOf(each));
              return (
                <li key={each.id}>
                  <button
                    type="button"
                    className="ui-alternative"
                    onClick={() => {
                      store.take(reported.node, 0, each);
                      onClose();
                    }}
                  >
                    <span />
                    <span className={`ui-alternative-label${cut === null ? '' : ' ui-token-cut'}`} title={cut ?? ''}>
                      {visibleToken(each.label)}
                      {cut !== null && <span className="ui-hidden">, {cut},</span>}
                    </span>
                    <Chances {...each} hasProcessed={hasProcessed} />
                    <span className="ui-alternative-note">take</span>
                  </button>
                </li>
              );
            })}
          </ul>
          <CutNote token={reported.token} parameters={parameters} />
        </section>
      )}
    </Sheet>
  );
}

function First({
  branch: { first, text },
  hasProcessed,
}: {
  readonly branch: SeamBranch;
  readonly hasProcessed: boolean;
}) {
  const label = first === null ? (text === '' ? '' : 'typed') : visibleToken(first.label ?? first.text);
  return (
    <>
      <span className={first === null ? 'ui-muted' : 'ui-alternative-label'}>{label}</span>
      <Chances logprob={first?.logprob ?? null} processed={first?.processed} hasProcessed={hasProcessed} />
    </>
  );
}

function Chances({
  logprob,
  processed,
  hasProcessed,
}: {
  readonly logprob: number | null;
  readonly processed?: number | null | undefined;
  readonly hasProcessed: boolean;
}) {
  return (
    <>
      <span className="ui-alternative-bar">
        <span style={{ width: `${logprob === null ? 0 : 100 * Math.exp(logprob)}%` }} />
      </span>
      <span className="ui-alternative-chance" {...(logprob !== null && { title: `${formatDecimals(logprob, 2)} nat` })}>
        {formatChance(logprob)}
      </span>
      {hasProcessed && (
        <span className="ui-alternative-after">{processed === null ? '0 %' : formatChance(processed ?? null)}</span>
      )}
    </>
  );
}
