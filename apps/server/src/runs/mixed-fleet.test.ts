/** Workers with different engines on one store: one over a completions server, which honours some parameters, one with an engine of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRefused, type Engine, type RemoteLimits } from '@gptj-cloud/engine';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { GPTJ_PIPELINE_ID, type RunGet, runGetSchema } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { createScriptedEngine, type ScriptedEngine } from '../testing/scripted-engine.ts';
import { type ServedComposition, serveComposition } from '../testing/serve-composition.ts';
import { shareServers } from '../testing/shared-servers.ts';
import { until } from '../testing/until.ts';
import { createEngineNodes } from './nodes/engine-nodes.ts';
import { createNodeEngine } from './nodes/node-engine.ts';
import { signRequest } from './nodes/node-signature.ts';
import { ensureNodeSecret, findEngineNodes } from './nodes/node-store.ts';

const TOKEN = 'test-token-0123456789';
const TIMING = { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 };
const GREEDY = { max_new_tokens: 2 };
const BEAMS = { max_new_tokens: 2, num_beams: 2 };
const SAME = { max_new_tokens: 2, deterministic: true };

const servers = shareServers(TOKEN);

function ownEngine(): ScriptedEngine {
  return createScriptedEngine(({ config }) => ({
    sequences: Array.from({ length: config.numReturnSequences }, () => [97, 98]),
  }));
}

/** As the engine over vLLM: it refuses what the server does not honour. */
function remoteEngine(limits: Partial<RemoteLimits> = {}): ScriptedEngine {
  const { info, ...engine } = ownEngine();
  const remote = { maxLogprobs: 20, deterministic: false, eosTokenIds: GPTJ_6B.eosTokenIds, ...limits };
  return {
    ...engine,
    info: { ...info, remote },
    async *generate(request, signal) {
      const reason = describeRefused(request.config, remote);
      if (reason !== null) throw new ModelError('parameters_refused', reason);
      yield* engine.generate(request, signal);
    },
  };
}

async function join(engine: Engine, running: number): Promise<ServedComposition> {
  const server = await serveComposition({
    store: servers.store,
    engine,
    running,
    timing: TIMING,
    isElsewhere: running === 0,
  });
  servers.add(server);
  return server;
}

/** A server without an engine. */
async function joinApi(): Promise<ServedComposition> {
  const secret = await ensureNodeSecret(servers.store.db);
  const nodes = createEngineNodes({
    find: () => findEngineNodes(servers.store.db),
    findHolders: async () => new Set(),
    now: () => performance.now(),
    random: () => 0,
  });
  const { info } = ownEngine();
  const sign = (request: Parameters<typeof signRequest>[1]) => signRequest(secret, request, new Date());
  return await join(createNodeEngine({ info: () => info, nodes, sign, onRefusal() {} }), 0);
}

async function post({ url }: ServedComposition, path: string, body: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

const submit = (server: ServedComposition, parameters: object, more: object = {}): Promise<Response> =>
  post(server, '/v2/runs', { pipeline_id: GPTJ_PIPELINE_ID, data: ['hi', parameters], ...more });

async function run(server: ServedComposition, parameters: object): Promise<RunGet> {
  return runGetSchema.parse(await (await submit(server, parameters)).json());
}

test('each worker executes the runs that its engine honours, and leaves the others to one that does', async () => {
  const [own, remote] = [ownEngine(), remoteEngine()];
  const api = await joinApi();
  await join(remote, 8);
  const second = await join(own, 1);
  const runs = await Promise.all([BEAMS, GREEDY, SAME, BEAMS, SAME].map((parameters) => run(api, parameters)));
  assert.deepEqual(
    runs.map(({ run_state: state }) => state),
    Array.from(runs, () => 'complete'),
  );
  const needy = own.requests.filter(({ config }) => config.numBeams > 1 || config.deterministic);
  assert.equal(needy.length, 4);
  assert.ok(remote.requests.every(({ config }) => config.numBeams === 1 && !config.deterministic));

  // Direct generations, too.
  const options = { prompt: 'hi', max_tokens: 2, temperature: 0, repetition_penalty: 1.1 };
  for (const more of [{}, { no_repeat_ngram_size: 2 }]) {
    const reply = await post(api, '/v1/completions', { ...options, ...more });
    assert.equal(reply.status, 200, await reply.text());
  }
  assert.equal(own.requests.at(-1)?.config.noRepeatNgramSize, 2);

  await servers.close(second);
  const refused = await submit(api, BEAMS);
  const text = await refused.text();
  assert.equal(refused.status, 400, text);
  assert.deepEqual(JSON.parse(text).detail?.parameters ?? JSON.parse(text).parameters, ['num_beams']);
  assert.match(text, /num_beams: expected/);
  const direct = await post(api, '/v1/completions', { ...options, no_repeat_ngram_size: 2 });
  assert.equal(direct.status, 400, 'refused');
  assert.match(await direct.text(), /no_repeat_ngram_size/);
});

test('a server that is batch-invariant takes deterministic runs', async () => {
  const remote = remoteEngine({ deterministic: true });
  const api = await joinApi();
  await join(remote, 1);
  assert.equal((await run(api, SAME)).run_state, 'complete');
  assert.equal(remote.requests.length, 1);
});

test('a run that waited for a worker which ended is ended with an error that names the parameter', async () => {
  const api = await joinApi();
  const reply = await submit(api, BEAMS, { async_run: true });
  const { id } = runGetSchema.parse(await reply.json());
  const remote = remoteEngine();
  await join(remote, 1);
  // The remote worker leaves it, and executes another one meanwhile.
  assert.equal((await run(api, GREEDY)).run_state, 'complete');
  const stateOf = async (): Promise<RunGet> => await api.composition.runs.get(DEFAULT_PROJECT_ID, id);
  assert.equal((await stateOf()).run_state, 'received');
  await api.composition.runs.worker.endUnserved([`${GPTJ_PIPELINE_ID}#own`]);
  await until(async () => (await stateOf()).run_state === 'failed');
  assert.match((await stateOf()).error_info?.exception ?? '', /num_beams: expected parameters/);
  assert.equal(remote.requests.length, 1);
});
