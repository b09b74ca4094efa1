import type { EngineStatus } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { sentence } from '../ui/error-panel.tsx';
import { Figure, Figures } from '../ui/figure.tsx';
import { formatBytes, formatCount, formatDigits, formatDuration, formatPercent } from '../ui/formats.ts';
import { Meter } from '../ui/meter.tsx';
import { Lasting } from '../ui/relative-time.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { engineQuery } from './pipeline-queries.ts';

/** The served model and its load now. */
export function ModelPanel() {
  const engine = useQuery(engineQuery);
  return (
    <section className="ui-panel" aria-label="The served model">
      <QueryView query={engine} skeleton={<Skeleton rows={4} height="2.75rem" />}>
        {(status) => <Model status={status} />}
      </QueryView>
    </section>
  );
}

function Model({ status }: { readonly status: EngineStatus }) {
  const { model, state, since, reason, cells } = status;
  return (
    <>
      <div className="ui-panel-head">
        <div className="ui-actions">
          <h2 className="pipelines-model">{model.name}</h2>
          <StateBadge
            state={state === 'ready' ? 'ready' : 'failing'}
            label={state === 'ready' ? 'ready' : 'unavailable'}
          />
          <span className="ui-muted">
            <Lasting since={since} />
          </span>
        </div>
      </div>
      {reason !== null && <p className="pipelines-reason">{sentence(`The engine does not answer: ${reason}`)}</p>}
      <div className="pipelines-load">
        <Figures>
          <Figure name="Weights" value={model.quantisation} note={`${formatCount(model.layers)} layers`} />
          <Figure name="Context" value={formatCount(model.context)} unit="tokens" note="prompt and output" />
          <Figure
            name="Memory"
            value={status.memoryBytes === null ? '–' : formatBytes(status.memoryBytes)}
            note={`loaded in ${formatDuration(model.loadedInMs)}`}
          />
          <Figure
            name="Running"
            value={status.active ?? '–'}
            unit={status.active === 1 ? 'generation' : 'generations'}
          />
          <Figure
            name="Waiting"
            value={status.waiting ?? '–'}
            unit={status.waiting === 1 ? 'generation' : 'generations'}
            note={status.oldestWaitingMs ? `oldest ${formatDuration(status.oldestWaitingMs)}` : 'for cache'}
          />
        </Figures>
        <Speed status={status} />
      </div>
      <Meter label="Cache" used={cells.used ?? 0} limit={cells.total} unit="cells">
        One cell holds the position of one token. Prompts that share a beginning share its cells.
      </Meter>
    </>
  );
}

function Speed({ status }: { readonly status: EngineStatus }) {
  const { samples, intervalSeconds } = status.history;
  const speeds = samples.map(({ tokensPerSecond }) => tokensPerSecond);
  const max = Math.max(0, ...speeds);
  const busy = samples.at(-1)?.busy ?? null;
  const minutes = Math.max(1, Math.round((samples.length * intervalSeconds) / 60));
  const summary = `${formatDigits(status.tokensPerSecond, 3)} tokens a second; at most ${formatDigits(max, 3)} in the last ${minutes} min`;
  return (
    <div className="pipelines-speed">
      <Figures>
        <Figure
          name="Speed"
          value={formatDigits(status.tokensPerSecond, 3)}
          unit="tokens a second"
          note={busy === null ? undefined : `engine ${formatPercent(busy)} busy`}
        />
      </Figures>
      <div>
        <Sparkline values={speeds} summary={summary} />
        <p className="pipelines-span">
          <span>{minutes} min ago</span>
          <span>at most {formatDigits(max, 3)}</span>
          <span>now</span>
        </p>
      </div>
    </div>
  );
}
