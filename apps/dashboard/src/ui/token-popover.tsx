import { CutNote } from './cut-note.tsx';
import { cutReason } from './cut-reason.ts';
import { formatDecimals } from './formats.ts';
import { formatChance, rankOf, type TokenChance, visibleToken } from './token-scale.ts';
import './token-text.css';

export interface TokenAlternative {
  readonly id: number;
  readonly label: string;
  readonly logprob: number | null;
  readonly processed?: number | null;
}

export interface TokenFacts extends TokenChance {
  readonly id: number;
  readonly text: string;
  readonly label: string | null;
  readonly top: readonly TokenAlternative[];
}

/** One token with those that could have been drawn in its place; a press takes one of them. */
export function TokenDetails({
  token,
  current,
  isMoved = false,
  parameters = {},
  hasBranch,
  onTake,
}: {
  readonly token: TokenFacts;
  /** Index of the alternative that the keyboard has chosen. */
  readonly current: number | null;
  readonly isMoved?: boolean;
  /** Of the run: they name what removed an alternative. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Whether a press goes to a branch that begins with the alternative. */
  readonly hasBranch?: (id: number) => boolean;
  readonly onTake: ((alternative: TokenAlternative) => void) | null;
}) {
  const covered = token.top.reduce((sum, { logprob }) => sum + (logprob === null ? 0 : Math.exp(logprob)), 0);
  const shown = token.label ?? token.text;
  const hasProcessed = token.processed !== undefined;
  const noteOf = (id: number): string => (onTake === null ? '' : hasBranch?.(id) === true ? 'branch' : 'take');
  return (
    <div>
      <p className="ui-token-head">
        <code>{visibleToken(shown)}</code>
        <span>{formatChance(token.logprob)}</span>
        {token.logprob !== null && (
          <span>
            rank {rankOf(token) > token.top.length && token.top.length > 0 ? `> ${token.top.length}` : rankOf(token)}
          </span>
        )}
        {token.logprob !== null && <span>{formatDecimals(token.logprob, 2)} nat</span>}
        <span>id {token.id}</span>
        {token.processed != null && <span>{formatChance(token.processed)} in this run</span>}
      </p>
      {token.top.length === 0 ? (
        <p className="ui-token-head">The server has sent no alternatives of this token.</p>
      ) : (
        <ul className={hasProcessed ? 'ui-alternatives ui-alternatives-processed' : 'ui-alternatives'}>
          {hasProcessed && (
            <li className="ui-alternative-heads" aria-hidden="true">
              <span>model</span>
              <span>run</span>
            </li>
          )}
          {token.top.map((each, index) => {
            const isDrawn = each.id === token.id;
            const cut = cutReason(token, parameters, index);
            return (
              <li key={each.id}>
                <button
                  type="button"
                  className={`ui-alternative${index === current ? ' ui-alternative-current' : ''}${isDrawn ? ' ui-alternative-drawn' : ''}`}
                  disabled={onTake === null}
                  onClick={() => {
                    if (!isDrawn) onTake?.(each);
                  }}
                >
                  <span className="ui-alternative-key">{index < 9 ? index + 1 : ''}</span>
                  <span className={`ui-alternative-label${cut === null ? '' : ' ui-token-cut'}`} title={cut ?? ''}>
                    {visibleToken(each.label)}
                    {cut !== null && <span className="ui-hidden">, {cut},</span>}
                  </span>
                  <span className="ui-alternative-bar">
                    <span style={{ width: `${each.logprob === null ? 0 : 100 * Math.exp(each.logprob)}%` }} />
                  </span>
                  <span className="ui-alternative-chance">{formatChance(each.logprob)}</span>
                  {hasProcessed && (
                    <span className="ui-alternative-after">
                      {each.processed === null ? '0 %' : formatChance(each.processed ?? null)}
                    </span>
                  )}
                  <span className="ui-alternative-note">{isDrawn ? '✓ drawn' : noteOf(each.id)}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <CutNote token={token} parameters={parameters} />
      {token.top.length > 0 && (
        <p className="ui-token-head">
          {(100 * covered).toFixed(0)} % covered by the {token.top.length} most likely
          {isMoved && '. The text before has been edited since: these are the figures of the earlier text'}
        </p>
      )}
    </div>
  );
}
