import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GPTJ_6B } from '@gptj-cloud/model';
import { ConfigError } from '../../config-error.ts';
import { planOf } from '../../testing/plans.ts';
import { allowsModel, isCounted } from './plan.ts';
import { openPlanBook } from './plan-book.ts';
import { servedModelName } from './served-model.ts';

let folder: string;
let path: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-plans-'));
  path = join(folder, 'plans.json');
});
after(() => rm(folder, { recursive: true }));

const PLAN = {
  id: 'small',
  name: 'Small',
  requests_per_minute: 5,
  concurrent_runs: null,
  tokens_per_day: 0,
  tokens_per_month: null,
  max_context: null,
  models: ['*'],
  prices: { monthly: 1, per_1000_prompt_tokens: 0.0004, per_1000_generated_tokens: 0, per_compute_hour: 0 },
};
const FILE = { currency: 'EUR', default_plan: 'small', plans: [PLAN] };

async function faultOf(content: unknown): Promise<string> {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  try {
    await openPlanBook(path);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.match(error.message, /^PLANS_FILE: /);
    return error.message;
  }
  assert.fail('nothing was refused');
}

test('the open plans allow every account every model without limits, and keep the plan of owners', async () => {
  const book = await openPlanBook(null, 'open');
  for (const planId of ['free', 'open', 'owner']) {
    const plan = book.planOf({ planId });
    assert.ok(allowsModel(plan, 'gpt-j-6b') && !isCounted(plan) && plan.maxContext === null, planId);
    assert.deepEqual([plan.storedBytes, plan.maxRunSeconds, plan.prices.perComputeHour], [null, null, 0]);
  }
});

test('the built-in plans: the embedded model is free, GPT-J-6B needs Developer or Premium, owners have no limits', async () => {
  const book = await openPlanBook(null);
  assert.equal(book.defaultPlan.id, 'free');
  assert.deepEqual(
    book.plans.map((plan) => [plan.name, plan.offered, allowsModel(plan, 'gptj-nano'), allowsModel(plan, 'gpt-j-6b')]),
    [
      ['Free', true, true, false],
      ['Developer', true, true, true],
      ['Premium', true, true, true],
      ['Owner', false, true, true],
    ],
  );
  const { requestsPerMinute, concurrentRuns, tokensPerDay, tokensPerMonth, maxContext } =
    book.find('owner') ?? book.defaultPlan;
  assert.deepEqual([requestsPerMinute, concurrentRuns, tokensPerDay, tokensPerMonth, maxContext], Array(5).fill(null));
});

test('a plan file replaces the built-in plans except the one for owners', async () => {
  await writeFile(path, `\ufeff${JSON.stringify(FILE)}`);
  const book = await openPlanBook(path);
  assert.deepEqual(
    book.plans.map(({ id }) => id),
    ['small', 'owner'],
  );
  assert.equal(book.currency, 'EUR');
  const small = book.planOf({ planId: 'small' });
  assert.deepEqual([small.requestsPerMinute, small.tokensPerDay, small.offered, small.priority], [5, 0, true, 0]);
  // Users of a plan that no longer exists are on the default plan.
  assert.equal(book.planOf({ planId: 'gone' }).id, 'small');
  assert.equal(book.find('gone'), null);
});

test('refuses an invalid plan file with the path of every fault', async () => {
  assert.match(await faultOf('{"currency"'), /expected JSON/);
  assert.match(await faultOf([]), /file: /);
  const faulty = {
    ...FILE,
    default_plan: 'none',
    plans: [PLAN, { ...PLAN, requests_per_minute: 0 }, { ...PLAN, id: 'Big', limit: 3 }],
  };
  const message = await faultOf(faulty);
  assert.match(message, /plans\.1\.requests_per_minute: /);
  assert.match(message, /plans\.2\.id: expected lower-case letters/);
  assert.match(message, /plans\.2: .*limit/);
  assert.match(await faultOf({ ...FILE, plans: [PLAN, PLAN] }), /plans\.1\.id: expected unique ids, got small twice/);
  assert.match(await faultOf({ ...FILE, default_plan: 'none' }), /default_plan: .*\(small\), got "none"/);
  const { tokens_per_day: _, ...lacking } = PLAN;
  // A missing limit does not mean "no limit".
  assert.match(await faultOf({ ...FILE, plans: [lacking] }), /plans\.0\.tokens_per_day: /);
  await assert.rejects(openPlanBook(join(folder, 'missing.json')), /PLANS_FILE: expected a readable JSON file/);
});

test('the example of the documentation is a valid plan file', async () => {
  const text = await readFile(new URL('../../../../../docs/api.md', import.meta.url), 'utf8');
  const [, example] = /```json\n(\{\n {2}"currency".*?)```/s.exec(text) ?? [];
  await writeFile(path, example ?? '');
  assert.equal((await openPlanBook(path)).defaultPlan.id, 'free');
});

test('reload applies a changed file, and keeps the present plans when the file is invalid', async () => {
  await writeFile(path, JSON.stringify(FILE));
  const book = await openPlanBook(path);
  await writeFile(path, JSON.stringify({ ...FILE, plans: [{ ...PLAN, requests_per_minute: 9 }] }));
  await book.reload();
  assert.equal(book.defaultPlan.requestsPerMinute, 9);
  await writeFile(path, 'no JSON');
  await assert.rejects(book.reload(), ConfigError);
  assert.equal(book.defaultPlan.requestsPerMinute, 9);
});

test('`*` matches any characters, and every other character matches itself, ignoring case', () => {
  const allows = (pattern: string, model: string) => allowsModel(planOf('p', { models: [pattern] }), model);
  for (const [pattern, model] of [
    ['gptj-nano', 'GPTJ-Nano'],
    ['gptj-*', 'gptj-'],
    ['*nano', 'gptj-nano'],
    ['g*-*o', 'gptj-nano'],
    ['*', ''],
    ['a*a', 'aa'],
    ['a*b*c', 'a-b-b-c'],
  ] as const) {
    assert.ok(allows(pattern, model), `${pattern} ${model}`);
  }
  for (const [pattern, model] of [
    ['gptj-nano', 'gptj-nano2'],
    ['gpt.*', 'gptj'],
    ['a*a', 'a'],
    ['a*b*c', 'a-c'],
    ['ab*bc', 'abc'],
    ['', 'x'],
  ] as const) {
    assert.ok(!allows(pattern, model), `${pattern} ${model}`);
  }
});

test('a model of the full size is gpt-j-6b, whatever name its file states', () => {
  assert.equal(servedModelName({ config: GPTJ_6B, modelName: 'gptj-nano' }), 'gpt-j-6b');
  assert.equal(servedModelName({ config: { ...GPTJ_6B, layerCount: 4 }, modelName: 'gptj-nano' }), 'gptj-nano');
});
