import { allowsModel } from '../metering/plans/plan.ts';
import type { PlanBook, PlansKind } from '../metering/plans/plan-book.ts';

/** A line about who may use the served model, when that is not what one expects of a server of one's own; else null. */
export function describePlans(plans: PlanBook, servedModel: string, kind: PlansKind): string | null {
  if (kind === 'open') return `Plans: open; every account may use ${servedModel} without limits`;
  if (allowsModel(plans.defaultPlan, servedModel)) return null;
  const names = plans.plans.filter((plan) => plan.offered && allowsModel(plan, servedModel)).map(({ name }) => name);
  const grant = names.length === 0 ? '' : ` An owner grants ${names.join(' or ')}: gptj plans grant NAME PLAN.`;
  return `Plans: a new account has ${plans.defaultPlan.name}, which does not include ${servedModel}.${grant} PLANS=open removes all limits.`;
}
