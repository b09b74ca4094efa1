import type { Plan } from '@gptj-cloud/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { cloud } from '../api/cloud.ts';
import { confirmed } from '../api/confirmation.ts';
import { keys } from '../api/keys.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorPanel } from '../ui/error-panel.tsx';
import { monthlyPrice, pricesOfUse } from './plan-sentences.ts';

/** Changes the plan. Its outcome is a change at once, a request that waits, or a page to pay on. */
export function ChangePlanDialog({
  plan,
  currency,
  isServerOwner,
  onClose,
}: {
  readonly plan: Plan;
  readonly currency: string;
  readonly isServerOwner: boolean;
  readonly onClose: () => void;
}) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () => confirmed(() => cloud().plans.change(plan.id)),
    onSuccess: async ({ checkoutUrl }) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.plans }),
        queries.invalidateQueries({ queryKey: keys.limits }),
        queries.invalidateQueries({ queryKey: keys.session }),
      ]);
      if (checkoutUrl === null) return;
      window.location.assign(checkoutUrl);
    },
  });
  const outcome = change.data;
  const isDone = outcome !== undefined;
  return (
    <Dialog
      title={isDone ? plan.name : `Change to ${plan.name}`}
      isOpen
      onClose={onClose}
      actions={
        isDone ? (
          <Button look="primary" onPress={onClose}>
            Close
          </Button>
        ) : (
          <>
            <Button onPress={onClose}>Cancel</Button>
            <Button look="primary" isPending={change.isPending} onPress={() => change.mutate()}>
              Change to {plan.name}
            </Button>
          </>
        )
      }
    >
      {outcome === undefined && (
        <>
          <p>
            {monthlyPrice(plan, currency)}. {pricesOfUse(plan, currency).join('. ')}.
          </p>
          <p className="ui-muted">
            {isServerOwner
              ? 'You operate this server: the change has effect at once.'
              : 'You pay for it on the page of the payment provider, or an owner of the server approves it. Until then your present plan stays.'}
          </p>
        </>
      )}
      {outcome?.status === 'changed' && <p role="status">You are on the plan {plan.name} now.</p>}
      {outcome?.status === 'requested' && (
        <p role="status">The change is requested. This page shows the new plan as soon as it is confirmed.</p>
      )}
      {outcome?.status === 'checkout' && outcome.checkoutUrl !== null && (
        <p role="status">
          The payment page opens. If it does not, <a href={outcome.checkoutUrl}>open it here</a>.
        </p>
      )}
      {change.error !== null && <ErrorPanel error={change.error} />}
    </Dialog>
  );
}
