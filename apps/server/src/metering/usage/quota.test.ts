import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { GPTJ_PIPELINE_ID, planChangeResultSchema, usageGetSchema } from '@gptj-cloud/protocol';
import { serve } from '../../main.ts';
import { byteTokenizer, createFakeEngine } from '../../testing/fake-model.ts';
import { fillDataDir } from '../../testing/test-store.ts';

const TOKEN = 'test-token-0123456789';
const PLANS = {
  currency: 'USD',
  default_plan: 'small',
  plans: [
    {
      id: 'small',
      name: 'Small',
      requests_per_minute: null,
      concurrent_runs: null,
      tokens_per_day: 20 * 12,
      tokens_per_month: null,
      max_context: null,
      models: ['*'],
      prices: { monthly: 0, per_1000_prompt_tokens: 0, per_1000_generated_tokens: 0, per_compute_hour: 0 },
    },
  ],
};

test('of 50 parallel requests to both APIs, 20 fit the quota and 20 are metered', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-quota-'));
  await fillDataDir(dataDir);
  const plansFile = join(dataDir, 'plans.json');
  await writeFile(plansFile, JSON.stringify(PLANS));
  const server = await serve(
    { port: 0, dataDir },
    {
      environment: { GPTJ_API_TOKEN: TOKEN, PLANS_FILE: plansFile, MAX_WAITING_RUNS: '100' },
      openModel: async () => ({ engine: createFakeEngine(), tokenizer: byteTokenizer }),
      print: () => {},
      log: () => {},
    },
  );
  try {
    const ask = async (path: string, body?: unknown): Promise<Response> =>
      await fetch(`${server.url}${path}`, {
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
    planChangeResultSchema.parse(await (await ask('/v2/plan', { plan_id: 'small' })).json());
    // Each has four prompt tokens and eight generated tokens.
    const run = () => ask('/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['four', { response_length: 8 }] });
    const completion = () => ask('/v1/completions', { model: 'fake', prompt: 'four', max_tokens: 8 });
    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? run() : completion())));
    const statuses = replies.map(({ status }) => status);
    await Promise.all(replies.map((reply) => reply.text()));
    assert.equal(statuses.filter((status) => status === 200).length, 20, statuses.join(' '));
    // OpenAI's API replies 429 and `insufficient_quota` where the others reply 402.
    assert.equal(statuses.filter((status) => status === 402 || status === 429).length, 30, statuses.join(' '));
    const { total } = usageGetSchema.parse(await (await ask('/v2/usage')).json());
    assert.deepEqual([total.runs, total.prompt_tokens, total.generated_tokens], [20, 80, 160]);
  } finally {
    await server.close();
    await rm(dataDir, { recursive: true });
  }
});
