/**
 * A completions server in vLLM's form (the replies of 0.11 to 0.29: `vllm/entrypoints/openai/completion`), which computes
 * with an engine of ours. It can be wrong on purpose.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseGenerateParameters, type TokenReport } from '@gptj-cloud/decoding';
import { type Engine, type GenerationEvent, parameterContext } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';

/** What is wrong with the server. Tests change it between requests. */
export interface StubFaults {
  /** Replies to the next requests of completions, in place of their own. */
  statuses?: {
    readonly status: number;
    readonly retryAfter?: string;
    readonly message?: string;
    readonly to?: string;
  }[];
  /** Log-probabilities belong to the token before. */
  shiftLogprobs?: boolean;
  /** Of the distribution after temperature (`--logprobs-mode processed_logprobs`). */
  processedLogprobs?: boolean;
  /** Every second event lacks its token ids. */
  truncateIds?: boolean;
  /** No field `token_ids`, as other servers have none. */
  withoutIds?: boolean;
  /** Texts become other tokens. */
  otherTokenizer?: boolean;
  /** The stream stays open without a byte: before its first event, or after this number of events. */
  hangAfter?: number;
  /** The connection is cut after this number of events. */
  cutAfter?: number;
  /** Connections that are cut. Default: all. */
  cuts?: number;
  /** An event with an error after this number of events. */
  errorAfter?: number;
  /** The stream ends with `stop` after this number of tokens, whatever the request says. */
  stopAfter?: number;
  /** Changes the events of a stream before they are written. */
  rewrite?: (event: Body) => unknown;
  /** It has died: `/health` answers 503. */
  unhealthy?: boolean;
}

export interface StubOptions {
  readonly engine: Engine;
  readonly tokenizer: Tokenizer;
  /** Name of the model. Default `EleutherAI/gpt-j-6b`. */
  readonly model?: string;
  /** Default: none is asked for. */
  readonly key?: string;
  /** `--scheduling-policy priority`. Default false. */
  readonly hasPriorities?: boolean;
}

export interface StubServer {
  readonly url: string;
  readonly faults: StubFaults;
  /** Bodies of completions. */
  readonly bodies: Readonly<Record<string, unknown>>[];
  /** Requests whose client closed the connection before their end. */
  readonly aborted: () => number;
  readonly running: () => number;
  close(): Promise<void>;
}

type Body = Readonly<Record<string, unknown>>;

const MAX_LOGPROBS = 20;

export async function openStubServer(options: StubOptions): Promise<StubServer> {
  const { engine, tokenizer, model = 'EleutherAI/gpt-j-6b', key, hasPriorities = false } = options;
  const { config } = engine.info;
  const faults: StubFaults = {};
  const bodies: Body[] = [];
  let aborted = 0;
  let running = 0;

  const refuse = (
    reply: ServerResponse,
    status: number,
    message: string,
    headers: Record<string, string> = {},
  ): void => {
    reply.writeHead(status, { 'content-type': 'application/json', ...headers });
    reply.end(JSON.stringify({ error: { message, type: 'BadRequestError', param: null, code: status } }));
  };

  const logprobsOf = (reports: readonly (TokenReport | null)[], tokens: readonly number[], top: number): object => {
    const shifted = faults.shiftLogprobs ? [reports.at(-1) ?? null, ...reports.slice(0, -1)] : reports;
    return {
      text_offset: tokens.map(() => 0),
      token_logprobs: tokens.map((_, at) => (reports[at] === null ? null : (shifted[at]?.logprob ?? -1))),
      tokens: tokens.map((token) => `token_id:${token}`),
      top_logprobs: reports.map((report) =>
        report === null
          ? null
          : Object.fromEntries(
              // The token itself first, as vLLM writes it.
              [report, ...report.top.slice(0, top)].map(({ token, logprob }) => [`token_id:${token}`, logprob]),
            ),
      ),
    };
  };

  const complete = async (body: Body, request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const text = typeof body.prompt === 'string' ? body.prompt : null;
    const prompt = text === null ? (body.prompt as number[]) : tokenizer.encode(text);
    const shown = text !== null && faults.otherTokenizer ? prompt.map((token) => token + 1) : prompt;
    const maxTokens = Number(body.max_tokens ?? 16);
    const top = body.logprobs === undefined ? null : Number(body.logprobs);
    const n = Number(body.n ?? 1);
    if (body.model !== model) return refuse(reply, 404, `The model \`${body.model}\` does not exist.`);
    if ((top ?? 0) > MAX_LOGPROBS) return refuse(reply, 400, `Requested sample logprobs of ${top}, max 20`);
    if (body.priority !== undefined && body.priority !== 0 && !hasPriorities) {
      return refuse(reply, 400, 'Got priority but Priority scheduling is not enabled.');
    }
    if (prompt.length + Math.max(1, maxTokens) > config.contextLength + 1) {
      return refuse(reply, 400, `This model's maximum context length is ${config.contextLength} tokens.`);
    }
    const isEcho = body.echo === true && maxTokens === 0;
    const temperature = Number(body.temperature ?? 1);
    const bias = Object.entries((body.logit_bias ?? {}) as Record<string, number>);
    const ends = [...((body.stop_token_ids ?? []) as number[]), ...(body.ignore_eos ? [] : config.eosTokenIds)];
    const parameters = isEcho
      ? { max_new_tokens: 0, prompt_logprobs: top ?? 0 }
      : {
          max_new_tokens: maxTokens,
          min_new_tokens: Number(body.min_tokens ?? 0),
          eos_token_id: ends.length === 0 ? -1 : ends,
          repetition_penalty: Number(body.repetition_penalty ?? 1),
          presence_penalty: Number(body.presence_penalty ?? 0),
          frequency_penalty: Number(body.frequency_penalty ?? 0),
          ...(bias.length === 0 ? {} : { sequence_bias: bias.map(([id, value]) => [[Number(id)], value]) }),
          ...(temperature === 0
            ? {}
            : {
                do_sample: true,
                temperature,
                top_k: Number(body.top_k ?? 0),
                top_p: Number(body.top_p ?? 1),
                min_p: Number(body.min_p ?? 0),
                num_return_sequences: n,
              }),
          ...(top === null ? {} : { logprobs: top, processed_logprobs: faults.processedLogprobs === true }),
        };
    const { config: parsed } = parseGenerateParameters(parameters, parameterContext(engine.info, prompt.length));
    const stop = new AbortController();
    request.socket.once('close', () => stop.abort());
    const events = engine.generate({ prompt, config: parsed }, stop.signal);
    running++;
    try {
      if (body.stream === true)
        await stream(events, { prompt: shown, n, top, reply, ids: body.return_token_ids === true });
      else await answer(events, { prompt: shown, isEcho, top, reply });
    } catch (error) {
      if (stop.signal.aborted) aborted++;
      else if (!reply.headersSent) refuse(reply, 500, String(error));
      else reply.destroy();
    } finally {
      running--;
    }
  };

  interface Answer {
    readonly prompt: readonly number[];
    readonly top: number | null;
    readonly reply: ServerResponse;
  }

  const answer = async (
    events: AsyncIterable<GenerationEvent>,
    { prompt, isEcho, top, reply }: Answer & { readonly isEcho: boolean },
  ): Promise<void> => {
    for await (const event of events) {
      if (event.type !== 'finished') continue;
      const { outcome, usage } = event;
      const [sequence] = outcome.sequences;
      const tokens = isEcho ? prompt : (sequence?.tokens ?? []);
      const reports = isEcho ? [null, ...(outcome.promptLogprobs ?? [])] : (sequence?.logprobs ?? []);
      reply.writeHead(200, { 'content-type': 'application/json' });
      reply.end(
        JSON.stringify({
          id: 'cmpl-0',
          object: 'text_completion',
          created: 0,
          model,
          choices: [
            {
              index: 0,
              text: '',
              logprobs: top === null ? null : logprobsOf(reports, tokens, top),
              finish_reason: 'length',
              stop_reason: null,
              token_ids: isEcho ? [0] : tokens,
              prompt_logprobs: null,
              prompt_token_ids: prompt,
            },
          ],
          usage: {
            prompt_tokens: prompt.length,
            total_tokens: prompt.length + 1,
            completion_tokens: usage.generatedTokens,
          },
        }),
      );
    }
  };

  const stream = async (
    events: AsyncIterable<GenerationEvent>,
    { prompt, n, top, reply, ids }: Answer & { readonly n: number; readonly ids: boolean },
  ): Promise<void> => {
    reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    reply.flushHeaders();
    let sent = 0;
    const gone = new Promise<never>((_, reject) => reply.once('close', () => reject(new Error('closed'))));
    gone.catch(() => {});
    const write = async (data: unknown): Promise<void> => {
      if (faults.hangAfter === sent) await gone;
      if (faults.cutAfter === sent && faults.cuts !== 0) {
        if (faults.cuts !== undefined) faults.cuts--;
        reply.socket?.destroy();
        await gone;
      }
      if (faults.errorAfter === sent)
        data = { error: { message: 'EngineCore died', type: 'InternalServerError', code: 500 } };
      if (faults.rewrite && typeof data === 'object') data = faults.rewrite(data as Body);
      sent++;
      reply.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    };
    /** The newest part of each choice: the last one carries the reason. */
    const held = new Map<number, { tokens: readonly number[]; reports: readonly TokenReport[] }>();
    const first = new Set<number>();
    const writeHeld = async (index: number, reason: string | null): Promise<void> => {
      const { tokens, reports } = held.get(index) ?? { tokens: [], reports: [] };
      const given = faults.truncateIds && sent % 2 === 1 ? tokens.slice(1) : tokens;
      await write({
        id: 'cmpl-0',
        object: 'text_completion',
        created: 0,
        model,
        choices: [
          {
            index,
            text: tokenizer.decode(tokens),
            logprobs: top === null ? null : logprobsOf(reports.map(shownReport), tokens, top),
            finish_reason: reason,
            stop_reason: null,
            ...(first.has(index) || !ids ? {} : { prompt_token_ids: prompt }),
            ...(ids && !faults.withoutIds ? { token_ids: given } : {}),
          },
        ],
      });
      first.add(index);
    };
    const shownReport = (report: TokenReport): TokenReport =>
      faults.processedLogprobs ? { ...report, logprob: report.processed ?? -9999 } : report;
    let total = 0;
    for await (const event of events) {
      if (event.type === 'tokens') {
        if (held.has(event.index)) await writeHeld(event.index, null);
        held.set(event.index, { tokens: event.tokens, reports: event.logprobs ?? [] });
        total += event.tokens.length;
        if (faults.stopAfter !== undefined && total >= faults.stopAfter) {
          await writeHeld(event.index, 'stop');
          break;
        }
      }
      if (event.type === 'finished') {
        for (const [index, { finishReason }] of event.outcome.sequences.entries()) {
          await writeHeld(index, finishReason === 'eos' ? 'stop' : 'length');
        }
        const usage = { prompt_tokens: prompt.length, total_tokens: prompt.length + total, completion_tokens: total };
        await write({ id: 'cmpl-0', object: 'text_completion', created: 0, model, choices: [], usage });
      }
    }
    if (n > 0) await write('[DONE]');
    reply.end();
  };

  const server: Server = createServer((request, reply) => {
    const { pathname } = new URL(request.url ?? '/', 'http://stub');
    if (pathname === '/health') {
      reply.writeHead(faults.unhealthy ? 503 : 200).end();
      return;
    }
    if (pathname === '/metrics') {
      reply.end(
        `# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{engine="0",model_name="${model}"} ${running}.0\n` +
          'vllm:num_requests_waiting{engine="0"} 0.0\nvllm:kv_cache_usage_perc{engine="0"} 0.25\n' +
          'vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="256"} 1.0\n',
      );
      return;
    }
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      refuse(reply, 401, 'Unauthorized');
      return;
    }
    if (pathname === '/v1/models') {
      const data = [{ id: model, object: 'model', created: 0, owned_by: 'vllm', max_model_len: config.contextLength }];
      reply.end(JSON.stringify({ object: 'list', data }));
      return;
    }
    if (pathname !== '/v1/completions' || request.method !== 'POST') {
      refuse(reply, 404, 'Not Found');
      return;
    }
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
      bodies.push(body);
      const next = faults.statuses?.shift();
      if (next !== undefined) {
        const headers = {
          ...(next.retryAfter === undefined ? {} : { 'retry-after': next.retryAfter }),
          ...(next.to === undefined ? {} : { location: next.to }),
        };
        refuse(reply, next.status, next.message ?? `status ${next.status}`, headers);
        return;
      }
      await complete(body, request, reply);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    faults,
    bodies,
    aborted: () => aborted,
    running: () => running,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
