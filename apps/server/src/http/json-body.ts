import { PickleError, type PickleValue, toJson } from '@gptj-cloud/pickle';
import { ApiError, invalidParameter, invalidParameters, issueText } from '@gptj-cloud/protocol';
import { parseJson } from './json-parser.ts';
import { mediaType, readBody } from './request-body.ts';

/** What is needed of a schema of the protocol. */
export interface BodySchema<Value> {
  safeParse(
    input: unknown,
    params: { readonly error: typeof issueText },
  ):
    | { readonly success: true; readonly data: Value }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

/** A body as a schema wants it. */
export interface JsonBody<Value> {
  readonly value: Value;
  /** Of its fields, those that the schema drops among them. */
  readonly names: readonly string[];
  /** The field `data` with Python's types kept apart; undefined when absent. */
  readonly data: PickleValue | undefined;
}

/**
 * Read, parse and check a JSON body; the field `data` is checked for presence only and returned with Python's types.
 * A missing Content-Type is taken for JSON, as curl users of 2022 sometimes sent none.
 *
 * Throws `unsupported_media_type`, `invalid_json`, `invalid_request` and what reading a body throws.
 */
export async function readJsonBody<Value>(
  request: Request,
  schema: BodySchema<Value>,
  limit: number,
): Promise<JsonBody<Value>> {
  const type = mediaType(request);
  // curl -d without -H says urlencoded.
  if (!['', 'application/json', 'application/x-www-form-urlencoded', 'text/plain'].includes(type)) {
    throw new ApiError('unsupported_media_type', { expected: 'application/json', got: type });
  }
  const body = parseJson(await readBody(request, limit));
  if (!(body instanceof Map)) throw invalidParameter('body', 'expected a JSON object');
  const fields: Record<string, unknown> = Object.create(null);
  let data: PickleValue | undefined;
  for (const [key, value] of body) {
    if (key === 'data') data = value;
    fields[String(key)] = key === 'data' ? value : toJsonField(String(key), value);
  }
  const parsed = schema.safeParse(fields, { error: issueText });
  if (parsed.success) return { value: parsed.data, names: Object.keys(fields), data };
  throw invalidParameters(
    parsed.error.issues.map((issue) => ({
      parameter: ['body', ...issue.path.map(String)].join('->'),
      error: issue.message,
    })),
  );
}

function toJsonField(name: string, value: PickleValue): unknown {
  try {
    return toJson(value);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw invalidParameter(`body->${name}`, error.message);
  }
}
