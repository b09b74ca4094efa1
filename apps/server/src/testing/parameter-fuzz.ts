/** Random requests through the parsers of every API, without HTTP and without a model. */
import { describeParameters, parameterSchemas } from '@gptj-cloud/decoding';
import { ApiError } from '@gptj-cloud/protocol';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { READ_MESH_REQUEST } from '../api/mesh/read-mesh-request.ts';
import { READ_COMPLETION } from '../api/openai/read-completion.ts';
import { READ_RUN_BODY } from '../api/pipeline-cloud/read-run-body.ts';
import { READ_TEXT_GENERATION } from '../api/tgi/read-text-generation.ts';
import { createParameterReader } from '../generation/parameter-parser.ts';
import { READ_GPTJ_RUN } from '../generation/pipelines/gptj-pipeline.ts';
import type { TextModel } from '../generation/text-model.ts';
import { createFakeEngine } from './fake-model.ts';

export interface FuzzOptions {
  readonly tokenizer: Tokenizer;
  readonly count: number;
  readonly seed: number;
  /** Called after each request with the time that it took. */
  readonly onRequest?: (ms: number, body: string) => void;
}

export interface FuzzReport {
  readonly accepted: number;
  readonly refused: number;
  /** Refusals by error code. */
  readonly codes: ReadonlyMap<string, number>;
}

type Random = () => number;
type Schema = Readonly<Record<string, unknown>>;

const MAX_BODY_LENGTH = 4 * 2 ** 20;
const NAMES = describeParameters().map(({ name }) => name);
const SCHEMAS: Readonly<Record<string, Schema>> = parameterSchemas();
const OTHER_NAMES = [
  ...['response_length', 'remove_input', 'penalty', 'trim_stop', 'include_input', 'return_full_text', 'details'],
  ...[
    'best_of',
    'n',
    'echo',
    'logit_bias',
    'stop',
    'truncate',
    'watermark',
    'top_n_tokens',
    'stream',
    'stream_options',
  ],
  ...['__proto__', 'constructor', 'toString', '', 'ma\u0000x', 'x'.repeat(3000), 'max_new_tokenss', '\ud800'],
];
const NUMBERS = [0, 1, 2, -1, 0.5, 1e-300, 64, 2047, 2048, 50_256, 50_400, 2 ** 31, 2 ** 53, 1e21, 1e308, -1e308];
const TEXTS = ['', ' ', 'a', 'the king', '<|endoftext|>', '\u0000', '\ud83d', '😀', 'x'.repeat(600), ' a'.repeat(3000)];
const PATTERNS = [
  'a+',
  '(',
  '[a-z]{900}',
  '(?:(?:(?:){0,1000}){0,1000}){0,4}a',
  '(a|b){0,1000}',
  '\\',
  '[\\d-z]',
  '.*',
];

/** Execute requests until `count`. Throws what a parser throws beside `ApiError`, with the body. */
export function fuzzParameters({ tokenizer, count, seed, onRequest }: FuzzOptions): FuzzReport {
  const { info } = createFakeEngine();
  const model: TextModel = { info, tokenizer, readParameters: createParameterReader(info, tokenizer) };
  const random = createRandom(seed);
  const codes = new Map<string, number>();
  let accepted = 0;
  for (let at = 0; at < count; at++) {
    const { body, read } = randomRequest(random, model);
    // The server refuses longer bodies before it reads them.
    if (body.length > MAX_BODY_LENGTH) {
      at--;
      continue;
    }
    const startedAt = performance.now();
    try {
      read();
      accepted++;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw new Error(`request ${at} of seed ${seed}: ${String(error)}: ${body.slice(0, 2000)}`, { cause: error });
      }
      if (error.message.length > 4000)
        throw new Error(`request ${at} of seed ${seed}: a message of ${error.message.length} characters`);
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    }
    onRequest?.(performance.now() - startedAt, body);
  }
  return { accepted, refused: count - accepted, codes };
}

function randomRequest(random: Random, model: TextModel): { readonly body: string; readonly read: () => unknown } {
  const fields = randomFields(random);
  const text = pick(random, ['the king', ...TEXTS]);
  const request = (value: unknown, read: (body: Uint8Array) => unknown) => {
    const body = damaged(random, JSON.stringify(value));
    return { body, read: () => read(new TextEncoder().encode(body)) };
  };
  switch (Math.floor(random() * 5)) {
    case 0:
      return request({ prompt: randomPrompt(random), ...fields }, (body) => READ_COMPLETION.run(model, { body }));
    case 1:
      return request({ inputs: text, parameters: fields }, (body) =>
        READ_TEXT_GENERATION.run(model, {
          body,
          dialect: pick(random, ['generate', 'compat', 'inference'] as const),
          mustStream: random() < 0.1,
        }),
      );
    case 2:
      return request({ context: text, ...fields }, (body) => READ_MESH_REQUEST.run(model, { body }));
    default:
      return request({ pipeline_id: 'gpt-j:latest', data: [text, fields] }, (body) => {
        const { input } = READ_RUN_BODY.run(model, { body });
        return READ_GPTJ_RUN.run(model, { input: input === null ? new Uint8Array() : bitten(random, input) });
      });
  }
}

function randomFields(random: Random): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  const count = random() < 0.02 ? 300 : Math.floor(random() * 5);
  for (let at = 0; at < count; at++) {
    const name = random() < 0.8 ? pick(random, NAMES) : pick(random, OTHER_NAMES);
    const schema = SCHEMAS[name];
    fields[count > 20 ? `${name}${at}` : name] =
      schema !== undefined && random() < 0.7 ? fromSchema(random, schema, 0) : randomValue(random, 0);
  }
  if (random() < 0.1) fields.generation_config = random() < 0.8 ? randomFields(random) : randomValue(random, 0);
  if (random() < 0.2) fields.compat = pick(random, ['4.25', '5.18', '4.30']);
  if (random() < 0.1) fields.prefix_allowed_tokens_fn = { regex: pick(random, PATTERNS) };
  return fields;
}

/** A value that a schema describes, now and then not quite. */
function fromSchema(random: Random, schema: Schema, depth: number): unknown {
  if (random() < 0.08 || depth > 6) return randomValue(random, depth);
  const { oneOf, enum: choices, const: only, type, items, properties, prefixItems } = schema;
  if (Array.isArray(oneOf)) return fromSchema(random, pick(random, oneOf), depth + 1);
  if (Array.isArray(choices)) return pick(random, choices);
  if (only !== undefined) return only;
  if (type === 'boolean') return random() < 0.5;
  if (type === 'string') return random() < 0.3 ? pick(random, PATTERNS) : pick(random, TEXTS);
  if (type === 'integer') return random() < 0.7 ? Math.floor(random() * 300) : pick(random, NUMBERS);
  if (type === 'number') return random() < 0.7 ? random() * 3 : pick(random, NUMBERS);
  if (type === 'array') {
    if (Array.isArray(prefixItems)) return prefixItems.map((item) => fromSchema(random, item as Schema, depth + 1));
    const length = lengthOf(random, depth);
    return Array.from({ length }, () => fromSchema(random, (items ?? {}) as Schema, depth + 1));
  }
  if (type === 'object' && typeof properties === 'object' && properties !== null) {
    const entries = Object.entries(properties).filter(() => random() < 0.8);
    return Object.fromEntries(entries.map(([name, inner]) => [name, fromSchema(random, inner as Schema, depth + 1)]));
  }
  return randomValue(random, depth);
}

function randomValue(random: Random, depth: number): unknown {
  if (random() < 0.01) return nested(1 + Math.floor(random() * 250));
  switch (Math.floor(random() * (depth > 4 ? 4 : 6))) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return pick(random, NUMBERS);
    case 3:
      return pick(random, TEXTS);
    case 4:
      return Array.from({ length: lengthOf(random, depth) }, () => randomValue(random, depth + 1));
    default: {
      const names = [...OTHER_NAMES, ...NAMES];
      return Object.fromEntries(
        Array.from({ length: Math.floor(random() * 4) }, () => [pick(random, names), randomValue(random, depth + 1)]),
      );
    }
  }
}

function randomPrompt(random: Random): unknown {
  if (random() < 0.5) return pick(random, TEXTS);
  if (random() < 0.3) return randomValue(random, 0);
  return Array.from({ length: 1 + Math.floor(random() * 40) }, () =>
    random() < 0.5 ? pick(random, TEXTS) : Array.from({ length: 1 + Math.floor(random() * 20) }, () => 7),
  );
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at++) value = at % 3 === 0 ? { a: value } : [value];
  return value;
}

function lengthOf(random: Random, depth: number): number {
  if (depth === 0 && random() < 0.03) return 5000;
  return Math.floor(random() ** 3 * (depth > 2 ? 8 : 40));
}

/** JSON with some characters replaced, now and then. */
function damaged(random: Random, json: string): string {
  if (random() > 0.05) return json;
  const at = Math.floor(random() * json.length);
  return json.slice(0, at) + pick(random, ['"', '{', ']', ',', '\\u12', '1e999', '\u0001', '']) + json.slice(at + 1);
}

/** A pickle with one byte changed, now and then. */
function bitten(random: Random, pickle: Uint8Array): Uint8Array {
  if (random() > 0.1) return pickle;
  const bytes = Uint8Array.from(pickle);
  bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return bytes;
}

function pick<Value>(random: Random, list: readonly Value[]): Value {
  return list[Math.floor(random() * list.length)] as Value;
}

/** Mulberry32. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
