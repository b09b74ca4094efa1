import type { Limits, PlanList } from '@gptj-cloud/sdk';
import { useQuery } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { keys } from '../api/keys.ts';
import { ButtonLink } from '../ui/button.tsx';
import { formatDate, formatPlural } from '../ui/formats.ts';
import { Meter } from '../ui/meter.tsx';
import { QueryView, Skeleton } from '../ui/states.tsx';
import { forecastOf } from './forecast.ts';

/** The month and the day against the limits of the plan. */
export function PlanPanel() {
  const limits = useQuery({ queryKey: keys.limits, queryFn: ({ signal }) => cloud().limits.get({ signal }) });
  const { data: plans } = useQuery({
    queryKey: keys.plans,
    staleTime: 60_000,
    queryFn: ({ signal }) => cloud().plans.list({ signal }),
  });
  return (
    <section className="ui-panel" aria-labelledby="home-plan">
      <div className="ui-panel-head">
        <h2 id="home-plan">This month</h2>
        <PlanName plans={plans} />
      </div>
      <QueryView query={limits} skeleton={<Skeleton rows={4} height="1rem" />}>
        {(data) => <Meters limits={data} />}
      </QueryView>
    </section>
  );
}

function PlanName({ plans }: { readonly plans: PlanList | undefined }) {
  const current = plans?.plans.find(({ id }) => id === plans.current);
  const canUpgrade = plans !== undefined && plans.plans.length > 1;
  return (
    <span className="ui-actions">
      {current !== undefined && <span className="ui-muted">{current.name} plan</span>}
      {canUpgrade && (
        <ButtonLink to="/plan" look="quiet" size="small" icon="card">
          Plans
        </ButtonLink>
      )}
    </span>
  );
}

function Meters({ limits: { day, month } }: { readonly limits: Limits }) {
  const forecast = forecastOf(month, new Date());
  const renewed = formatDate(month.resetsAt);
  return (
    <div className="ui-stack">
      <Meter label="Tokens this month" used={month.used} reserved={month.reserved} limit={month.limit} unit="tokens">
        {forecast.kind === 'days' && `lasts about ${formatPlural(forecast.days, 'day')} · renewed on ${renewed}`}
        {forecast.kind === 'enough' && `enough until ${renewed}, at the pace of this month`}
        {forecast.kind === 'over' && `nothing is left until ${renewed}`}
        {forecast.kind === 'unknown' && month.limit !== null && `renewed on ${renewed}`}
      </Meter>
      <Meter label="Tokens today, in UTC" used={day.used} reserved={day.reserved} limit={day.limit} unit="tokens" />
    </div>
  );
}
