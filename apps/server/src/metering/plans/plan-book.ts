import { readFile } from 'node:fs/promises';
import { issueText } from '@gptj-cloud/protocol';
import { ConfigError } from '../../config-error.ts';
import type { Principal } from '../../identity/principal.ts';
import { OWNER_PLAN_ID, type Plan, type PlanFile, planFileSchema } from './plan.ts';

/** The plans of this server. */
export interface PlanBook {
  readonly currency: string;
  /** Plan of accounts whose own plan no longer exists, or whose subscription ended. */
  readonly defaultPlan: Plan;
  readonly plans: readonly Plan[];
  find(id: string): Plan | null;
  /** The plan in force for a principal: the default plan when its own is no longer in the file. */
  planOf(principal: Pick<Principal, 'planId'>): Plan;
  /** Read the file again. Throws `ConfigError`, and keeps the present plans, when the file cannot be used. */
  reload(): Promise<void>;
}

/**
 * The built-in plans: `original`, those of 2022, where GPT-J-6B wants Developer or Premium; `open`, one plan for every
 * account, without limits. An account whose plan is of the other kind has the default plan.
 */
export const PLANS_KINDS = ['original', 'open'] as const;
export type PlansKind = (typeof PLANS_KINDS)[number];

const BUILT_IN: Readonly<Record<PlansKind, string>> = {
  original: 'default-plans.json',
  open: 'open-plans.json',
};

/** Bounds the memory that a wrong file can take. */
const MAX_CHARACTERS = 1_000_000;

/**
 * Open the plans of a file, or built-in ones when `path` is null. Throws `ConfigError` that lists every fault with
 * its path.
 */
export async function openPlanBook(path: string | null, kind: PlansKind = 'original'): Promise<PlanBook> {
  // The path holds from dist and from src.
  const builtIn = await readPlanFile(
    new URL(`../../../src/metering/plans/${BUILT_IN[kind]}`, import.meta.url),
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
    if (plan === null) throw new TypeError(`expected the default plan ${file.defaultPlan} among the plans, got none`);
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
    // Some editors write a byte order mark.
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
