import { Link } from '@tanstack/react-router';
import { CopyButton } from '../ui/copy.tsx';
import { formatDigits, formatPlural } from '../ui/formats.ts';
import { type DraftNode, type NodeRun, pathOf, UNKNOWN_TOKEN } from './document/draft.ts';
import { Replay } from './replay/replay.tsx';
import type { PlaygroundState } from './store/playground-store.ts';

const ENDINGS: Readonly<Record<string, string>> = {
  eos: 'ended by the model',
  length: 'ended by length',
  stop: 'ended by a stop string',
  time: 'ended by max_time',
  cancelled: 'stopped',
  restarted: 'begun anew',
};

/** About the last generation in the text: how long it is, why it ended, and the seed that repeats it. */
export function GenerationNote({ state }: { readonly state: PlaygroundState }) {
  const { draft, lastRun, stopping } = state;
  const path = pathOf(draft);
  const node = path.findLast((each) => each.run !== null);
  if (node?.run == null) return <p className="playground-note" />;
  const { run } = node;
  const ms = lastRun?.id === run.id ? (lastRun?.computeTimeMs ?? null) : null;
  const parts = path.filter((each) => each.run?.key === run.key);
  // A stored run without log-probabilities has a text of unknown tokens: its usage counts them.
  const isUnknown = parts.some(({ tokens }) => tokens?.some(({ id }) => id === UNKNOWN_TOKEN));
  const known = parts.reduce((sum, each) => sum + tokensOf(each), 0);
  const stored = lastRun?.id === run.id ? (lastRun?.usage?.generatedTokens ?? 0) : 0;
  const count = isUnknown ? stored : known;
  return (
    <p className="playground-note">
      <span className={run.finish === 'failed' ? 'playground-state playground-failed' : 'playground-state'}>
        {stateOf(run, stopping.includes(run.key))}
      </span>
      <span className="playground-count">{count > 0 && formatPlural(count, 'token')}</span>
      {run.seed !== null && (
        <span>
          seed <code>{run.seed}</code> <CopyButton text={String(run.seed)} label="Copy the seed" />
        </span>
      )}
      {run.id !== null && (
        <Link to="/runs/$runId" params={{ runId: run.id }}>
          Run
        </Link>
      )}
      {/* What comes with the end stands last, so that nothing before it moves. */}
      {run.id !== null && run.stage === 'ended' && known > 0 && <Replay key={run.key} draft={draft} node={node} />}
      {ms !== null && ms > 0 && count > 0 && (
        <span className="playground-speed">{formatDigits(count / (ms / 1000), 3)} tokens/s</span>
      )}
    </p>
  );
}

function tokensOf(node: DraftNode): number {
  return node.tokens?.length ?? 0;
}

function stateOf(run: NodeRun, isStopping: boolean): string {
  if (run.stage === 'void') return 'The server begins anew; the grey text is void';
  if (run.stage === 'open') return isStopping ? 'stopping' : run.id === null ? 'sending' : 'generating';
  if (run.finish === 'failed') return `failed: ${run.failure ?? 'no reason was stated'}`;
  return ENDINGS[run.finish ?? ''] ?? 'part of a longer continuation';
}
