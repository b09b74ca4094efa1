import { readFile } from 'node:fs/promises';
import { issueText } from '@gptj-cloud/protocol';
import { ConfigError } from '../../config-error.ts';
import type { Principal } from '../../identity/principal.ts';
import { OWNER_PLAN_ID, type Plan, type PlanFile, planFileSchema } from './plan.ts';

/** The plans of this server. */
export interface PlanBook {
  readonly currency: string;
  /** Plan of accounts whose own is not among the plans, and of those whose subscription ended. */
  readonly defaultPlan: Plan;
  readonly plans: readonly Plan[];
  find(id: string): Plan | null;
  /** The plan that somebody is on; the default one when theirs is no longer in the file. */
  planOf(principal: Pick<Principal, 'planId'>): Plan;
  /** Read the file again. Throws `ConfigError` and keeps the plans there were when it cannot be used. */
  reload(): Promise<void>;
}

/** Larger is no list of plans. */
const MAX_CHARACTERS = 1_000_000;

/**
 * The plans of a file, or the built-in ones when `path` is null. Throws `ConfigError` that lists every fault, with its
 * place.
 */
export async function openPlanBook(path: string | null): Promise<PlanBook> {
  // From dist and from src alike.
  const builtIn = await readPlanFile(
    new URL('../../../src/metering/plans/default-plans.json', import.meta.url),
    'built-in plans',
  );
  const read = async (): Promise<PlanFile> => {
    if (path === null) return builtIn;
    const file = await readPlanFile(path, 'PLANS_FILE');
    if (file.plans.some(({ id }) => id === OWNER_PLAN_ID)) return file;
    return { ...file, plans: [...file.plans, ...builtIn.plans.filter(({ id }) => id === OWNER_PLAN_ID)] };
  };
  let file = await read();
  const find = (id: string): Plan | null => file.plans.find((plan) => plan.id === id) ?? null;
  const defaultPlan = (): Plan => {
    const plan = find(file.defaultPlan);
    if (plan === null) throw new TypeError('the schema of plan files lets no unknown default plan through');
    return plan;
  };
  return {
    get currency() {
      return file.currency;
    },
    get defaultPlan() {
      return defaultPlan();
    },
    get plans() {
      return file.plans;
    },
    find,
    planOf: ({ planId }) => find(planId) ?? defaultPlan(),
    async reload() {
      file = await read();
    },
  };
}

async function readPlanFile(path: string | URL, setting: string): Promise<PlanFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(`${setting}: expected a readable JSON file, got ${reasonOf(cause)}`, { cause });
  });
  if (text.length > MAX_CHARACTERS) {
    throw new ConfigError(`${setting}: expected at most ${MAX_CHARACTERS} characters, got ${text.length}`);
  }
  let json: unknown;
  try {
    // A byte order mark is what some editors write.
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new ConfigError(`${setting}: expected JSON, got ${reasonOf(cause)}`, { cause });
  }
  const parsed = planFileSchema.safeParse(json, { error: issueText });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path: place, message }) => `${place.map(String).join('.') || 'file'}: ${message}`,
  );
  throw new ConfigError(`${setting}: the plans cannot be used; ${faults.join('; ')}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
