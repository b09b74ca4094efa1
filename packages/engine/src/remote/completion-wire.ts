/** Replies of `POST /v1/completions` in vLLM's form, checked: what does not fit is a `RemoteFailure` that says where. */
import type { TokenReport } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import { oneLine, RemoteFailure } from './remote-failure.ts';

/** What one event of a stream adds to a sequence. */
export interface ChoicePart {
  readonly index: number;
  readonly tokens: readonly TokenId[];
  /** One per token where log-probabilities were asked for. */
  readonly logprobs: readonly TokenReport[] | null;
  /** As the server says it: `stop`, `length`, `abort` …; null: the sequence goes on. */
  readonly finishReason: string | null;
}

export interface StreamPart {
  readonly choices: readonly ChoicePart[];
  readonly usage: RemoteUsage | null;
}

export interface RemoteUsage {
  readonly completionTokens: number;
  /** Null: the server does not say. */
  readonly cachedTokens: number | null;
}

interface WireOptions {
  readonly vocabSize: number;
  /** Log-probabilities beside that of the token; null: none were asked for. */
  readonly topLogprobs: number | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** One event of a stream. An event with `error` throws. */
export function parseStreamPart(data: string, options: WireOptions): StreamPart {
  const event = parseObject(data);
  refuseErrorEvent(event);
  const choices = list(event.choices, 'choices').map((choice, at) => parseChoice(choice, `choices[${at}]`, options));
  return { choices, usage: parseUsage(event.usage) };
}

function parseChoice(value: unknown, where: string, { vocabSize, topLogprobs }: WireOptions): ChoicePart {
  const choice = object(value, where);
  if (choice.token_ids === undefined || choice.token_ids === null) {
    throw broken(`${where}.token_ids`, 'token ids (return_token_ids)', choice.token_ids);
  }
  const tokens = list(choice.token_ids, `${where}.token_ids`).map((id) => tokenId(id, `${where}.token_ids`, vocabSize));
  const reason = choice.finish_reason ?? null;
  if (reason !== null && typeof reason !== 'string') throw broken(`${where}.finish_reason`, 'a string', reason);
  const logprobs =
    topLogprobs === null ? null : parseLogprobs(choice.logprobs, { where, tokens, topLogprobs, vocabSize }).slice();
  return { index: integer(choice.index, `${where}.index`), tokens, logprobs, finishReason: reason };
}

interface LogprobsOptions {
  readonly where: string;
  /** The tokens that they must belong to. */
  readonly tokens: readonly TokenId[];
  readonly topLogprobs: number;
  readonly vocabSize: number;
}

/** The reports of tokens. The first one of a prompt has none. */
function parseLogprobs(value: unknown, options: LogprobsOptions): readonly TokenReport[] {
  return parseReports(value, options).map((report, at) => {
    if (report === null) throw broken(`${options.where}.logprobs.token_logprobs[${at}]`, 'a number', null);
    return report;
  });
}

function parseReports(value: unknown, options: LogprobsOptions): readonly (TokenReport | null)[] {
  const { where, tokens, topLogprobs, vocabSize } = options;
  if (tokens.length === 0 && (value === null || value === undefined)) return [];
  const fields = object(value, `${where}.logprobs`);
  const names = list(fields.tokens, `${where}.logprobs.tokens`);
  const own = list(fields.token_logprobs, `${where}.logprobs.token_logprobs`);
  const tops = fields.top_logprobs ?? null;
  const topRows = tops === null ? null : list(tops, `${where}.logprobs.top_logprobs`);
  if (names.length !== tokens.length || own.length !== tokens.length) {
    throw broken(`${where}.logprobs`, `${tokens.length} entries, one for each token`, names.length);
  }
  return tokens.map((token, at) => {
    const place = `${where}.logprobs[${at}]`;
    const named = namedToken(names[at], place, vocabSize);
    if (named !== token) throw broken(place, `the log-probability of token ${token}`, named);
    const logprob = own[at] ?? null;
    if (logprob === null) return null;
    const row = topLogprobs === 0 || topRows === null ? {} : object(topRows[at] ?? {}, place);
    const top = Object.entries(row)
      .map(([name, score]) => ({ token: namedToken(name, place, vocabSize), logprob: number(score, place) }))
      .sort((a, b) => b.logprob - a.logprob || a.token - b.token)
      .slice(0, topLogprobs);
    return { token, logprob: number(logprob, place), top };
  });
}

/** The echo of a prompt: the reports of its tokens from the second on. */
export function parseEcho(
  value: unknown,
  { prompt, ...options }: WireOptions & { readonly prompt: readonly TokenId[] },
): readonly TokenReport[] {
  const [choice] = list(object(value, 'reply').choices, 'choices');
  const where = 'choices[0]';
  const { logprobs } = object(choice, where);
  const { topLogprobs, vocabSize } = options;
  // Servers that echo one generated token as well have more entries than the prompt.
  const reports = parseReports(headOf(logprobs, prompt.length), {
    where,
    tokens: prompt,
    topLogprobs: topLogprobs ?? 0,
    vocabSize,
  });
  return reports.slice(1).map((report, at) => {
    if (report === null) throw broken(`${where}.logprobs.token_logprobs[${at + 1}]`, 'a number', null);
    return report;
  });
}

function headOf(logprobs: unknown, count: number): unknown {
  const fields = object(logprobs, 'choices[0].logprobs');
  const head = (value: unknown): unknown => (Array.isArray(value) ? value.slice(0, count) : value);
  return { ...fields, tokens: head(fields.tokens), token_logprobs: head(fields.token_logprobs) };
}

/** The ids of a prompt that was sent as text, those of another vocabulary included. */
export function parsePromptTokens(value: unknown): readonly TokenId[] {
  const [choice] = list(object(value, 'reply').choices, 'choices');
  const where = 'choices[0].prompt_token_ids';
  const ids = object(choice, 'choices[0]').prompt_token_ids;
  if (ids === undefined || ids === null) throw broken(where, 'token ids (return_token_ids)', ids);
  return list(ids, where).map((id) => integer(id, where));
}

/** A model of `GET /v1/models`. */
export interface RemoteModel {
  readonly id: string;
  /** Longest text in tokens; null: the server does not say. */
  readonly maxLength: number | null;
}

export function parseModels(value: unknown): readonly RemoteModel[] {
  return list(object(value, 'reply').data, 'data').map((entry, at) => {
    const { id, max_model_len: length } = object(entry, `data[${at}]`);
    if (typeof id !== 'string' || id === '') throw broken(`data[${at}].id`, 'a name', id);
    return { id, maxLength: Number.isSafeInteger(length) && Number(length) > 0 ? Number(length) : null };
  });
}

function refuseErrorEvent(event: Fields): void {
  const { error } = event;
  if (error === undefined || error === null) return;
  const message = typeof error === 'object' ? (error as Fields).message : error;
  throw new RemoteFailure(
    'broken',
    `the server ended the stream: ${oneLine(typeof message === 'string' ? message : '')}`,
  );
}

function parseUsage(value: unknown): RemoteUsage | null {
  if (value === undefined || value === null) return null;
  const usage = object(value, 'usage');
  const details = usage.prompt_tokens_details ?? null;
  const cached = details === null ? null : (object(details, 'usage.prompt_tokens_details').cached_tokens ?? null);
  return {
    completionTokens: integer(usage.completion_tokens, 'usage.completion_tokens'),
    cachedTokens: cached === null ? null : integer(cached, 'usage.prompt_tokens_details.cached_tokens'),
  };
}

/** `token_id:N`, by `return_tokens_as_token_ids`. */
function namedToken(value: unknown, where: string, vocabSize: number): TokenId {
  const digits = typeof value === 'string' ? /^token_id:(\d{1,9})$/.exec(value)?.[1] : undefined;
  if (digits === undefined) throw broken(where, 'a token as token_id:N (return_tokens_as_token_ids)', value);
  return tokenId(Number(digits), where, vocabSize);
}

function tokenId(value: unknown, where: string, vocabSize: number): TokenId {
  const id = integer(value, where);
  if (id >= vocabSize) throw broken(where, `a token below ${vocabSize}`, id);
  return id;
}

function integer(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw broken(where, 'an integer from 0 on', value);
  }
  return value;
}

function number(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw broken(where, 'a number', value);
  return value;
}

function list(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw broken(where, 'an array', value);
  return value;
}

function object(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(where, 'an object', value);
  return value as Fields;
}

function parseObject(data: string): Fields {
  try {
    return object(JSON.parse(data), 'event');
  } catch (error) {
    if (error instanceof RemoteFailure) throw error;
    throw broken('event', 'JSON', data);
  }
}

function broken(where: string, expected: string, got: unknown): RemoteFailure {
  return new RemoteFailure('broken', `${where}: expected ${expected}, got ${oneLine(JSON.stringify(got) ?? 'none')}`);
}
