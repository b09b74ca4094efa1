import type { Plan, PlanList } from '@gptj-cloud/sdk';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icons.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateBadge } from '../ui/state-badge.tsx';
import { ChangePlanDialog } from './change-plan-dialog.tsx';
import { monthlyPrice, planLimits, pricesOfUse } from './plan-sentences.ts';

/** One column for each plan, the present one marked. */
export function PlanCards({
  list,
  userId,
  isServerOwner,
  canChange,
}: {
  readonly list: PlanList;
  readonly userId: string;
  /** Changes of the operator have effect at once. */
  readonly isServerOwner: boolean;
  readonly canChange: boolean;
}) {
  const [chosen, setChosen] = useState<Plan | null>(null);
  const request = list.requests.find((each) => each.userId === userId);
  return (
    <section className="plan-cards" aria-label="Plans">
      {list.plans.map((plan) => {
        const isCurrent = plan.id === list.current;
        const isRequested = request?.planId === plan.id && !isCurrent;
        return (
          <article key={plan.id} className={isCurrent ? 'ui-panel plan-card plan-current' : 'ui-panel plan-card'}>
            <header className="plan-head">
              <h2>{plan.name}</h2>
              {isCurrent && <StateBadge state="active" label="present plan" />}
              {isRequested && <StateBadge state="requested" />}
            </header>
            <p className="plan-price">{monthlyPrice(plan, list.currency)}</p>
            <div className="ui-muted">
              {pricesOfUse(plan, list.currency).map((price) => (
                <p key={price}>{price}</p>
              ))}
            </div>
            <p>{plan.description !== '' && `${plan.description}.`}</p>
            <ul className="plan-limits">
              {planLimits(plan).map((limit) => (
                <li key={limit}>
                  <Icon name="check" size={14} />
                  {limit}
                </li>
              ))}
            </ul>
            <div className="plan-foot">
              {isRequested ? (
                <p className="ui-muted" role="status">
                  Requested <RelativeTime at={request.requestedAt} />: an owner of the server, or the payment provider,
                  confirms it.
                </p>
              ) : (
                !isCurrent &&
                canChange && (
                  <Button wide onPress={() => setChosen(plan)}>
                    Change to {plan.name}
                  </Button>
                )
              )}
            </div>
          </article>
        );
      })}
      {chosen !== null && (
        <ChangePlanDialog
          plan={chosen}
          currency={list.currency}
          isServerOwner={isServerOwner}
          onClose={() => setChosen(null)}
        />
      )}
    </section>
  );
}
