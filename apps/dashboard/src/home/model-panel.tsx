import type { EngineStatus, HostedModel } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { ButtonLink } from '../ui/button.tsx';
import { sentence } from '../ui/error-panel.tsx';
import { Figure, Figures } from '../ui/figure.tsx';
import { formatCount, formatDigits } from '../ui/formats.ts';
import { Lasting } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';

const POLL_MS = 5_000;

/** The served model, and how busy it is. */
export function ModelPanel() {
  const engine = useQuery({
    queryKey: keys.engine,
    queryFn: ({ signal }) => cloud().engine.get({ signal }),
    refetchInterval: POLL_MS,
  });
  return (
    <section className="ui-panel" aria-labelledby="home-model">
      <div className="ui-panel-head">
        <h2 id="home-model">Model</h2>
        <ButtonLink to="/pipelines" look="quiet" size="small" icon="layers">
          Pipelines
        </ButtonLink>
      </div>
      <QueryView query={engine} skeleton={<Skeleton rows={4} height="1rem" />}>
        {(status) => <Engine status={status} />}
      </QueryView>
    </section>
  );
}

function Engine({
  status: { model, state, since, reason, active, waiting, tokensPerSecond, models },
}: {
  readonly status: EngineStatus;
}) {
  return (
    <div className="ui-stack">
      <p className="home-model">
        <strong className="ui-cut">{model.name}</strong>
        <span className="ui-muted">
          {model.quantisation} · {formatCount(model.context)} tokens of context
        </span>
        <StateBadge state={state === 'ready' ? 'ready' : 'failing'} label={state === 'ready' ? 'ready' : 'not ready'} />
      </p>
      {state === 'ready' ? (
        <Figures>
          <Figure name="Running" value={active === null ? '–' : formatCount(active)} />
          <Figure name="Waiting" value={waiting === null ? '–' : formatCount(waiting)} />
          <Figure name="Speed" value={formatDigits(tokensPerSecond, 3)} unit="tokens/s" />
        </Figures>
      ) : (
        <p className="home-reason">
          {reason === null ? 'The engine does not answer.' : sentence(reason)} Not ready <Lasting since={since} />.
        </p>
      )}
      {models.length > 1 && (
        <ul className="home-models" aria-label="Other models">
          {models
            .filter(({ name }) => name !== model.name)
            .map((other) => (
              <li key={other.name}>
                <span className="ui-cut">{other.name}</span>
                <span className="ui-muted">{other.reason === null ? placeOf(other) : sentence(other.reason)}</span>
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}

const PLACES: Readonly<Record<HostedModel['state'], string>> = {
  loaded: 'loaded',
  loading: 'loading',
  unloaded: 'loads when it is asked for',
  closing: 'makes room for another model',
  evicted: 'loads when it is asked for',
  failed: 'could not be loaded',
};

function placeOf({ state, progress, quantisation }: HostedModel): string {
  const share = progress === null ? '' : `, ${Math.floor(progress * 100)} %`;
  return `${quantisation} · ${PLACES[state]}${share}`;
}
