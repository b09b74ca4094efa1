/** Registers the server of an engine: finds its model, proves that it computes the same, and learns what it takes. */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { Engine, EngineInfo } from '../engine.ts';
import { parameterContext } from '../parameter-context.ts';
import { echoBody } from './completion-body.ts';
import { parseEcho, parseModels, parsePromptTokens, type RemoteModel } from './completion-wire.ts';
import type { RemoteAddress } from './http.ts';
import { checkLogprobs, checkTokens, PARITY_TOLERANCE, type ParityProbe } from './parity-probe.ts';
import { createRemoteEngine } from './remote-engine.ts';
import { oneLine, RemoteFailure } from './remote-failure.ts';
import { readCacheCells } from './remote-load.ts';
import type { RemoteLimits } from './remote-parameters.ts';
import { ofFailure, RemoteServer, type RemoteServerOptions } from './remote-server.ts';
import type { SetTimer } from './watchdog.ts';

export interface OpenRemoteOptions extends Omit<RemoteServerOptions, 'address'> {
  readonly address: RemoteAddress;
  /** The name of the model at the server. Default: the first that it lists. */
  readonly model?: string;
  /** Results do not depend on other requests, as the operator says. Default false. */
  readonly deterministic?: boolean;
  /** The model as our own files describe it. */
  readonly local: {
    readonly name: string;
    readonly config: GptjConfig;
    readonly tokenizer: Pick<Tokenizer, 'tokenBytes'>;
  };
  /** What our own engine computes from the same weights. */
  readonly probe: ParityProbe;
  /** By how much log-probabilities may differ from the probe. Default 0.02, for weights in half precision. */
  readonly tolerance?: number;
  /** Longest silence within a stream. Default 10 minutes. */
  readonly silenceMs?: number;
  /** Of the silence. Default: `setTimeout`. */
  readonly setTimer?: SetTimer;
  readonly signal?: AbortSignal;
}

/** vLLM's `--max-logprobs`. */
const MAX_LOGPROBS = 20;
const SAMPLED_TOKENS = 8;

/**
 * Throws `ModelError`: `engine_mismatch` for a server with another tokenizer, other values or another form of replies,
 * `model_unavailable` for one that refuses the key or has no such model, `engine_failed` for one that cannot be reached.
 */
export async function openRemoteEngine(options: OpenRemoteOptions): Promise<Engine> {
  const { local, probe, address, deterministic = false, silenceMs = 600_000, tolerance = PARITY_TOLERANCE } = options;
  const { signal = new AbortController().signal, now = () => performance.now() } = options;
  const startedAt = now();
  const server = new RemoteServer(options);
  try {
    const model = await findModel(server, options.model, signal);
    const { vocabSize, contextLength, eosTokenIds } = local.config;
    if (probe.tokens.some((token) => token >= vocabSize)) {
      throw new ModelError('invalid_config', `probe: expected tokens of ${local.name}, got one from ${vocabSize} on`);
    }
    await proveTokenizer(server, { model: model.id, probe, signal });
    await proveArithmetic(server, { model: model.id, probe, vocabSize, tolerance, signal });
    const maxLength = Math.min(contextLength, model.maxLength ?? contextLength);
    const info: EngineInfo & { readonly remote: RemoteLimits } = {
      kind: 'openai',
      modelName: local.name,
      draftModelName: null,
      quantisation: probe.quantisation,
      config: { ...local.config, contextLength: maxLength },
      cacheCells: readCacheCells(await server.metrics()) ?? maxLength,
      backend: 'remote',
      adapters: [],
      earlyExitLayers: null,
      loadMs: now() - startedAt,
      remote: { maxLogprobs: MAX_LOGPROBS, deterministic, eosTokenIds },
    };
    const engine = createRemoteEngine({
      server,
      info,
      model: model.id,
      hasPriorities: await takesPriorities(server, { model: model.id, probe, signal }),
      tokenBytes: (id) => local.tokenizer.tokenBytes(id),
      silenceMs,
      ...(options.setTimer === undefined ? {} : { setTimer: options.setTimer }),
      now,
    });
    await proveStream(engine, server.name, { probe, tolerance, signal });
    server.keepTrying();
    return engine;
  } catch (error) {
    const failure = error instanceof ModelError ? error.cause : error;
    throw failure instanceof RemoteFailure ? refused(server.name, failure) : error;
  }

  function refused(name: string, failure: RemoteFailure): ModelError {
    if (failure.kind !== 'broken' && failure.kind !== 'refused') return ofFailure(failure, name, false);
    const needs = 'it must take token ids, echo with logprobs, and return_token_ids (vLLM from 0.10.2, or gptj serve)';
    return new ModelError(
      'engine_mismatch',
      `the server ${address.url.origin} cannot be used: ${failure.message}; ${needs}`,
      {
        cause: failure,
      },
    );
  }
}

interface Proof {
  readonly model: string;
  readonly probe: ParityProbe;
  readonly signal: AbortSignal;
}

async function findModel(server: RemoteServer, name: string | undefined, signal: AbortSignal): Promise<RemoteModel> {
  const models = parseModels(await server.json({ method: 'GET', path: 'v1/models', signal }));
  const found = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (found !== undefined) return found;
  const listed = models.slice(0, 20).map(({ id }) => oneLine(id));
  const got = listed.length === 0 ? 'none' : listed.join(', ');
  throw new ModelError(
    'model_unavailable',
    `ENGINE_MODEL: expected a model of ${server.name} (${got}), got ${name ?? 'none'}`,
  );
}

async function proveTokenizer(server: RemoteServer, { model, probe, signal }: Proof): Promise<void> {
  const body = { model, prompt: probe.text, max_tokens: 1, temperature: 0, return_token_ids: true };
  const reply = await server.json({ method: 'POST', path: 'v1/completions', body, signal });
  checkTokens(server.name, probe, parsePromptTokens(reply));
}

async function proveArithmetic(
  server: RemoteServer,
  { model, probe, vocabSize, tolerance, signal }: Proof & { readonly vocabSize: number; readonly tolerance: number },
): Promise<void> {
  const { tokens, logprobs } = probe;
  const body = echoBody(tokens, 0, { model });
  const reply = await server.json({ method: 'POST', path: 'v1/completions', body, signal });
  const got = parseEcho(reply, { prompt: tokens, topLogprobs: 0, vocabSize }).map(({ logprob }) => logprob);
  checkLogprobs(server.name, `the probe of ${probe.model} (${probe.quantisation})`, {
    expected: logprobs,
    got,
    tolerance,
  });
}

/** A server without priorities refuses a request with one. */
async function takesPriorities(server: RemoteServer, { model, probe, signal }: Proof): Promise<boolean> {
  const body = { model, prompt: probe.tokens, max_tokens: 1, temperature: 0, priority: -1 };
  try {
    await server.json({ method: 'POST', path: 'v1/completions', body, signal });
    return true;
  } catch (error) {
    if (error instanceof RemoteFailure && error.kind === 'refused') return false;
    throw error;
  }
}

/** Streamed log-probabilities must be those of the model before temperature, each with its own token. */
async function proveStream(
  engine: Engine,
  server: string,
  { probe, tolerance, signal }: Omit<Proof, 'model'> & { readonly tolerance: number },
): Promise<void> {
  const { info } = engine;
  const prompt = probe.tokens.slice(0, Math.floor(probe.tokens.length / 2));
  const context = parameterContext(info, prompt.length);
  const collect = async (
    parameters: Readonly<Record<string, unknown>>,
  ): Promise<readonly [readonly number[], readonly number[]]> => {
    const { config } = parseGenerateParameters({ logprobs: 0, eos_token_id: -1, ...parameters }, context);
    for await (const event of engine.generate({ prompt, config }, signal)) {
      if (event.type !== 'finished') continue;
      const [sequence] = event.outcome.sequences;
      return [sequence?.tokens ?? [], sequence?.logprobs?.map(({ logprob }) => logprob) ?? []];
    }
    return [[], []];
  };
  const sampling = { do_sample: true, temperature: 0.5, top_k: 0, max_new_tokens: SAMPLED_TOKENS };
  const [tokens, got] = await collect(sampling);
  const [, expected] = await collect({ continuation_ids: tokens });
  checkLogprobs(server, 'streamed tokens, compared with an echo of them,', { expected, got, tolerance });
}
