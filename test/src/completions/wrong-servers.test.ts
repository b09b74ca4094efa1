/** Servers that compute or answer wrongly, and those that fail: what the engine over them makes of it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import {
  type Engine,
  type GenerationEvent,
  type GenerationRequest,
  makeParityProbe,
  type OpenRemoteOptions,
  openRemoteEngine,
  type ParityProbe,
  parameterContext,
  remoteBase,
} from '@gptj-cloud/engine';
import { NANO_PATH, type OpenedModel, openFile, writeRotatedModel } from './nano-model.ts';
import { openStubServer, type StubFaults, type StubOptions, type StubServer } from './stub-server.ts';

let own: OpenedModel;
let probe: ParityProbe;
let stub: StubServer;
/** Pauses that the engine asked for. */
const pauses: number[] = [];
let time = 0;

before(async () => {
  own = await openFile(NANO_PATH);
  probe = await makeParityProbe(own.engine, own.tokenizer);
  stub = await openStubServer(own);
});
after(async () => {
  await stub.close();
  await own.engine.close();
});
afterEach(() => {
  for (const name of Object.keys(stub.faults)) delete stub.faults[name as keyof StubFaults];
  pauses.length = 0;
  time = 0;
});

type Changes = Partial<Omit<OpenRemoteOptions, 'address'>> & { readonly key?: string };

async function open(url = stub.url, { key, ...changes }: Changes = {}): Promise<Engine> {
  const base = remoteBase(url);
  assert.ok(base !== null);
  return await openRemoteEngine({
    address: { url: base, key: key ?? null },
    local: { name: 'nano', config: own.engine.info.config, tokenizer: own.tokenizer },
    probe,
    outageMs: 60_000,
    now: () => time,
    sleep: async (ms) => {
      pauses.push(ms);
      time += ms;
    },
    ...changes,
  });
}

function request(parameters: Readonly<Record<string, unknown>> = {}): GenerationRequest {
  const prompt = own.tokenizer.encode('The ship had been at sea for');
  const { config } = parseGenerateParameters(
    { eos_token_id: -1, max_new_tokens: 12, ...parameters },
    parameterContext(own.engine.info, prompt.length),
  );
  return { prompt, config };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

async function read(engine: Engine, asked = request()): Promise<readonly GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of engine.generate(asked)) events.push(event);
  return events;
}

describe('a server that computes wrongly is refused', () => {
  const refuses = async (faults: StubFaults, message: RegExp): Promise<void> => {
    Object.assign(stub.faults, faults);
    await assert.rejects(open(), { name: 'ModelError', code: 'engine_mismatch', message });
  };

  it('for another rotary embedding, with the figures of the worst token', async () => {
    const rotated = await writeRotatedModel();
    const wrong = await openFile(rotated.path);
    const server = await openStubServer(wrong);
    try {
      await assert.rejects(open(server.url), {
        code: 'engine_mismatch',
        message:
          /computes other values: \d+ of 6\d log-probabilities of the probe of .* is -[\d.]+, expected -[\d.]+\. Its weights, or their precision, are others/,
      });
    } finally {
      await server.close();
      await wrong.engine.close();
      await rotated.remove();
    }
  });

  it('for log-probabilities of other tokens', () => refuses({ shiftLogprobs: true }, /computes other values/));

  it('for log-probabilities after temperature', () =>
    refuses({ processedLogprobs: true }, /log-probabilities of streamed tokens, compared with an echo of them,/));

  it('for another tokenizer', () =>
    refuses({ otherTokenizer: true }, /another tokenizer than .*: token 0 of the probe/));

  it('for replies without token ids, saying which servers have them', () =>
    refuses(
      { withoutIds: true },
      /token_ids: expected token ids \(return_token_ids\), got none; .*vLLM from 0\.10\.2/,
    ));

  it('for replies that lack some of their token ids', () => refuses({ truncateIds: true }, /cannot be used|failed/));
});

describe('registration', () => {
  it('refuses a server that refuses the key, or has no such model, saying which setting names it', async () => {
    const guarded = await openStubServer({ ...own, key: 'a secret' });
    try {
      const message = /refuses the key; set ENGINE_KEY/;
      await assert.rejects(open(guarded.url, { key: 'another' }), { code: 'model_unavailable', message });
      const engine = await open(guarded.url, { key: 'a secret' });
      await engine.close();
      // A proxy that shows what it was sent.
      guarded.faults.statuses = [{ status: 400, message: 'cannot read Authorization: Bearer a secret' }];
      await assert.rejects(
        open(guarded.url, { key: 'a secret' }),
        ({ message }: Error) => message.includes('Authorization: Bearer …') && !message.includes('a secret'),
      );
    } finally {
      await guarded.close();
    }
    const message = /^ENGINE_MODEL: expected a model of .* \(EleutherAI\/gpt-j-6b\), got other$/;
    await assert.rejects(open(stub.url, { model: 'other' }), { code: 'model_unavailable', message });
  });

  it('does not follow redirects, which would carry the key elsewhere', async () => {
    const elsewhere = await openStubServer(own);
    try {
      stub.faults.statuses = [{ status: 307, to: `${elsewhere.url}/v1/completions` }];
      await assert.rejects(open(), { code: 'engine_mismatch', message: /redirects are not followed/ });
      assert.equal(elsewhere.bodies.length, 0);
    } finally {
      await elsewhere.close();
    }
  });

  it('waits for a server that is starting, and gives up after a time', async () => {
    stub.faults.statuses = [{ status: 503 }, { status: 503 }];
    await (await open()).close();
    assert.deepEqual(pauses, [250, 500]);
    const closed = await openStubServer(own);
    await closed.close();
    await assert.rejects(open(closed.url), {
      code: 'engine_failed',
      message: /cannot be reached: connect ECONNREFUSED/,
    });
    assert.ok(time > 60_000);
  });

  it('sends priorities only to servers that take them', async () => {
    const options: StubOptions = { ...own, hasPriorities: true };
    const server = await openStubServer(options);
    try {
      for (const [{ url, bodies }, expected] of [
        [server, -3],
        [stub, undefined],
      ] as const) {
        const engine = await open(url);
        await read(engine, { ...request(), priority: 3 });
        assert.equal(bodies.at(-1)?.priority, expected);
        await engine.close();
      }
    } finally {
      await server.close();
    }
  });
});

describe('a server that fails', () => {
  let engine: Engine;
  before(async () => {
    engine = await open();
  });
  after(() => engine.close());

  it('is asked again after the time that it names, for 429 and 503', async () => {
    stub.faults.statuses = [
      { status: 429, retryAfter: '3' },
      { status: 502, retryAfter: '7' },
      { status: 429, retryAfter: '86400' },
    ];
    const events = await read(engine);
    assert.equal(events.at(-1)?.type, 'finished');
    assert.deepEqual(pauses, [3000, 7000, 60_000]);
  });

  it('is not asked without a pause, whatever time it names', async () => {
    stub.faults.statuses = [
      { status: 429, retryAfter: '0' },
      { status: 503, retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    ];
    assert.equal((await read(engine)).at(-1)?.type, 'finished');
    assert.deepEqual(pauses, [250, 250]);
  });

  it('sends more than was asked for: nothing of it counts', async () => {
    const choicesOf = (event: object): readonly object[] => Reflect.get(event, 'choices') as object[];
    const repeated = (event: object, changes: object): object => ({
      ...event,
      choices: choicesOf(event).flatMap((choice) => [choice, { ...choice, ...changes }]),
    });
    const asked = request({ do_sample: true, num_return_sequences: 2 });
    // The first choice goes on while the second one is awaited.
    stub.faults.rewrite = (event) => repeated(event, { index: 0, finish_reason: null });
    await assert.rejects(read(engine, asked), { code: 'engine_failed', message: /choice 0 after 12 tokens, got more/ });
    stub.faults.rewrite = (event) => repeated(event, { token_ids: [] });
    await assert.rejects(read(engine, asked), { code: 'engine_failed', message: /choice \d after its end, got more/ });
  });

  it('counts more tokens as cached than the prompt has: those of the prompt count', async () => {
    stub.faults.rewrite = (event) =>
      'usage' in event
        ? { ...event, usage: { completion_tokens: 12, prompt_tokens_details: { cached_tokens: 1e9 } } }
        : event;
    const last = (await read(engine)).at(-1);
    assert.ok(last?.type === 'finished');
    assert.equal(last.usage.cachedTokens, last.usage.promptTokens);
  });

  it('is named with its address in the log alone, not in errors, which clients get', async () => {
    const warnings: string[] = [];
    const logged = await open(stub.url, { setTimer, onWarning: (message) => warnings.push(message) });
    const { port } = new URL(stub.url);
    for (const faults of [{ cutAfter: 2 }, { statuses: [{ status: 401 }] }] satisfies StubFaults[]) {
      Object.assign(stub.faults, { cutAfter: undefined }, faults);
      const before = warnings.length;
      await assert.rejects(read(logged), ({ message }: Error) => !message.includes(port));
      assert.match(warnings[before] ?? '', new RegExp(`^the server http.*:${port} failed a generation: `));
    }
    Object.assign(stub.faults, { cutAfter: undefined, hangAfter: 0, unhealthy: true });
    const waiting = assert.rejects(read(logged), ({ message }: Error) => !message.includes(port));
    await until(() => timers.size > 0);
    endTimers();
    await waiting;
    assert.match(warnings.at(-1) ?? '', new RegExp(`:${port} failed a generation: it sent nothing for 600 s`));
    await logged.close();
  });

  it('gives a reason of any length for an end: one line of it is shown', async () => {
    stub.faults.rewrite = (event) => ({
      ...event,
      choices: [{ index: 0, token_ids: [5], finish_reason: 'why\n'.repeat(100_000) }],
    });
    await assert.rejects(read(engine), ({ message }: Error) => message.length < 600 && !message.includes('\n'));
  });

  it('is down for longer than a start would wait: requests wait for it, and none fails', async () => {
    stub.faults.statuses = Array.from({ length: 40 }, () => ({ status: 503 }));
    assert.equal((await read(engine)).at(-1)?.type, 'finished');
    assert.equal(pauses.length, 40);
    assert.ok(time > 5 * 60_000);
  });

  it('refuses a request: 400 fails it with the reason of the server', async () => {
    stub.faults.statuses = [{ status: 400, message: 'n must be at\nleast 1' }];
    const message = /refuses the request: status 400: n must be at least 1$/;
    await assert.rejects(read(engine), { code: 'generation_impossible', message });
    stub.faults.statuses = [{ status: 400, message: "This model's maximum context length is 9 tokens" }];
    await assert.rejects(read(engine), { code: 'context_full' });
    stub.faults.statuses = [{ status: 404, message: 'The model does not exist' }];
    await assert.rejects(read(engine), { code: 'model_unavailable', message: /check what it serves and ENGINE_MODEL/ });
    stub.faults.statuses = [{ status: 401 }];
    await assert.rejects(read(engine), { code: 'model_unavailable', message: /set ENGINE_KEY/ });
    assert.deepEqual(pauses, []);
  });

  it('dies within a stream: the tokens before it were streamed, and the generation may be executed again', async () => {
    for (const faults of [{ cutAfter: 4 }, { errorAfter: 4 }] satisfies StubFaults[]) {
      Object.assign(stub.faults, { cutAfter: undefined, errorAfter: undefined }, faults);
      const events: GenerationEvent[] = [];
      const failing = async (): Promise<void> => {
        for await (const event of engine.generate(request())) events.push(event);
      };
      await assert.rejects(failing(), { name: 'ModelError', code: 'engine_failed' });
      assert.equal(events.filter(({ type }) => type === 'tokens').length, 4);
    }
    stub.faults.cutAfter = undefined as never;
    stub.faults.errorAfter = undefined as never;
    assert.equal((await read(engine)).at(-1)?.type, 'finished');
  });

  it('dies while it runs several: none of them is blamed', async () => {
    stub.faults.cutAfter = 4;
    const ends = await Promise.allSettled([read(engine), read(engine), read(engine)]);
    const codes = ends.map((end) => (end.status === 'rejected' ? (end.reason as { code: string }).code : 'none'));
    assert.ok(codes.includes('engine_lost'), codes.join());
    assert.ok(codes.every((code) => code === 'engine_lost' || code === 'engine_failed'));
  });

  it('stops before the end that was asked for: that is its fault', async () => {
    stub.faults.stopAfter = 3;
    await assert.rejects(read(engine), { code: 'engine_failed', message: /--generation-config vllm/ });
  });

  /** Timers of silence, which the test ends. */
  const timers = new Set<() => void>();
  const setTimer = (_ms: number, onEnd: () => void): (() => void) => {
    timers.add(onEnd);
    return () => timers.delete(onEnd);
  };
  const endTimers = (): void => {
    for (const end of [...timers]) end();
  };

  it('is silent within a stream: the generation ends as lost, and its connection is closed', async () => {
    const patient = await open(stub.url, { setTimer });
    stub.faults.hangAfter = 3;
    const closed = stub.aborted();
    const silent = async (): Promise<void> => {
      let count = 0;
      for await (const { type } of patient.generate(request())) {
        // The next event is awaited when this one was taken.
        if (type === 'tokens' && ++count === 3) void until(() => timers.size > 0).then(endTimers);
      }
    };
    await assert.rejects(silent(), { code: 'engine_lost', message: /sent nothing for 600 s/ });
    await until(() => stub.aborted() > closed);
    await patient.close();
  });

  it('is slow to begin: that is waited for as long as it is healthy, or until the limit of the request', async () => {
    const patient = await open(stub.url, { setTimer });
    stub.faults.hangAfter = 0;
    const limited = { ...request(), maxQueueMs: 200 };
    await assert.rejects(read(patient, limited), { code: 'queue_timed_out', message: /waited for 0\.2 s/ });
    const waiting = assert.rejects(read(patient), { code: 'engine_lost' });
    await until(() => timers.size > 0);
    const first = [...timers];
    endTimers();
    // It answers /health: the next silence begins.
    await until(() => [...timers].some((timer) => !first.includes(timer)));
    stub.faults.unhealthy = true;
    endTimers();
    await waiting;
    const message = /not healthy: status 503/;
    await assert.rejects(async () => await patient.stats?.(), { code: 'engine_failed', message });
    await patient.close();
  });

  it('computes for longer than the request allows: it is cancelled there', async () => {
    stub.faults.hangAfter = 3;
    const limited = { ...request(), maxComputeMs: 50 };
    await assert.rejects(read(engine, limited), { code: 'generation_timed_out' });
  });

  it('reports its load, also that of other programs', async () => {
    const stats = await engine.stats?.();
    assert.equal(engine.info.cacheCells, 4096);
    assert.deepEqual([stats?.cacheCells, stats?.freeCells, stats?.active, stats?.waiting], [4096, 3072, 0, 0]);
  });
});
