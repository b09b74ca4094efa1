import { type JsonValue, PickleError, type PickleValue, toJson } from '@gptj-cloud/pickle';
import { ApiError, invalidParameter, invalidParameters, issueText } from '@gptj-cloud/protocol';
import type { z } from 'zod';
import { codePointName, controlCharacterAt } from './control-characters.ts';
import { parseJson } from './json-parser.ts';
import type { JsonSchema } from './openapi/operation.ts';
import { type BodyLimit, mediaType, readBody, SMALL_BODY } from './request-body.ts';
import type { RequestBody } from './route.ts';

/** Clients of 2022 sometimes sent no Content-Type, and `curl -d` without -H sends the second one. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/x-www-form-urlencoded',
  'application/json',
  'text/plain',
]);

/** With the flag, half of a pair matches only without the other half. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A body that a schema validated. */
export interface JsonBody<Value> {
  readonly value: Value;
  /** Names of all fields in the body, also of those that the schema drops. */
  readonly names: readonly string[];
  /** The field `data` with Python's types kept apart; undefined when absent. */
  readonly data: PickleValue | undefined;
}

/** A small JSON object that a schema validates and describes. It is read on the server's thread: larger ones are `jsonBytes`. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema): RequestBody<z.output<Schema>> {
  return { content: [{ schema }], read: async (request) => (await readJsonBody(request, schema, SMALL_BODY)).value };
}

/** The bytes of a JSON object, for a job that parses and validates them; the schema only describes it. */
export function jsonBytes(schema: JsonSchema | z.ZodType, limit: BodyLimit): RequestBody<Uint8Array> {
  return { content: [{ schema }], read: (request) => readJsonBytes(request, limit) };
}

/**
 * Read, parse and validate a JSON body; the field `data` is checked for presence only and returned with Python's types.
 *
 * Throws `unsupported_media_type`, `invalid_json`, `invalid_request` and the errors of `readBody`.
 */
async function readJsonBody<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  limit: BodyLimit,
): Promise<JsonBody<z.output<Schema>>> {
  return parseJsonBody(await readJsonBytes(request, limit), schema);
}

/** The same for the bytes of a body. */
export function parseJsonBody<Schema extends z.ZodType>(bytes: Uint8Array, schema: Schema): JsonBody<z.output<Schema>> {
  const body = parseJsonObject(bytes);
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of body) {
    fields[name] = name === 'data' ? value : toJsonField(value, `body->${name}`);
    // `data` is the input of a run: any text is a prompt.
    if (name !== 'data') refuseControlCharacters(fields[name], `body->${name}`);
  }
  const parsed = schema.safeParse(fields, { error: issueText });
  if (parsed.success) return { value: parsed.data, names: [...body.keys()], data: body.get('data') };
  throw invalidParameters(
    parsed.error.issues.map((issue) => ({
      parameter: ['body', ...issue.path.map(String)].join('->'),
      error: issue.message,
    })),
  );
}

/** Throws `invalid_request` for a text with a control character or half a surrogate pair, which the store cannot hold. */
function refuseControlCharacters(value: unknown, parameter: string): void {
  if (typeof value === 'string') {
    const at = controlCharacterAt(value, 'lines');
    if (at !== -1) throw invalidParameter(parameter, `expected no control characters, got ${codePointName(value, at)}`);
    if (LONE_SURROGATE.test(value))
      throw invalidParameter(parameter, 'expected Unicode text, got half a surrogate pair');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) {
      refuseControlCharacters(key, parameter);
      refuseControlCharacters(entry, parameter);
    }
  }
}

/**
 * The fields of a JSON body; `null` counts as absent. A Map, so that a name cannot access a prototype.
 * Throws `invalid_json` and `invalid_request`.
 */
export function parseJsonFields(bytes: Uint8Array): ReadonlyMap<string, JsonValue> {
  const fields = new Map<string, JsonValue>();
  for (const [name, value] of parseJsonObject(bytes)) {
    if (value !== null) fields.set(name, toJsonField(value, name.slice(0, 80)));
  }
  return fields;
}

async function readJsonBytes(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const type = mediaType(request);
  if (!JSON_TYPES.has(type)) {
    throw new ApiError('unsupported_media_type', { expected: 'application/json', got: type.slice(0, 80) });
  }
  return await readBody(request, limit);
}

function parseJsonObject(bytes: Uint8Array): ReadonlyMap<string, PickleValue> {
  const body = parseJson(bytes);
  if (!(body instanceof Map)) throw invalidParameter('body', 'expected a JSON object');
  return new Map([...body].map(([key, value]) => [String(key), value] as const));
}

function toJsonField(value: PickleValue, parameter: string): JsonValue {
  try {
    return toJson(value);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw invalidParameter(parameter, error.message);
  }
}
