// Create a token that may only make runs, and print this month's usage. Needs a token with the scope admin, and the password of
// its user, because a token alone makes no tokens.
import { PipelineCloud } from '@gptj-cloud/sdk';

const api = new PipelineCloud();
const { current, plans } = await api.plans.list();
const plan = plans.find(({ id }) => id === current);
console.log(`plan ${plan?.name}: ${plan?.tokensPerDay ?? 'any number of'} tokens a day`);

const inADay = new Date(Date.now() + 24 * 3600 * 1000);
const token = await api.tokens.create(
  { name: 'for an afternoon', scopes: ['run'], expiresAt: inADay },
  { confirmation: { password: process.env.PIPELINE_PASSWORD ?? '' } },
);
console.log(`created ${token.name} with the scopes ${token.scopes.join(', ')}`);
await api.tokens.delete(token.id);

const { rows, total } = await api.usage.get({ groupBy: 'pipeline' });
for (const { key, runs, generatedTokens } of rows) console.log(key, `${runs} runs, ${generatedTokens} tokens`);
console.log(`${total.runs} runs in all`);
