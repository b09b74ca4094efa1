import { type JsonValue, PickleError, toJson } from '@gptj-cloud/pickle';
import { ApiError, invalidParameter } from '@gptj-cloud/protocol';
import { parseJson } from './json-parser.ts';
import { mediaType, readBody } from './request-body.ts';

/** What curl says unasked is taken for JSON, too. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain',
]);

/**
 * The fields of a JSON object that is the body; `null` counts as absent. A Map, so that no name reaches a prototype.
 * Throws `unsupported_media_type`, `invalid_json`, `invalid_request` and what reading a body throws.
 */
export async function readJsonFields(request: Request, limit: number): Promise<ReadonlyMap<string, JsonValue>> {
  const type = mediaType(request);
  if (!JSON_TYPES.has(type)) {
    throw new ApiError('unsupported_media_type', { expected: 'application/json', got: type.slice(0, 80) });
  }
  const body = parseJson(await readBody(request, limit));
  if (!(body instanceof Map)) throw invalidParameter('body', 'expected a JSON object');
  const fields = new Map<string, JsonValue>();
  for (const [key, value] of body) {
    const name = String(key);
    try {
      if (value !== null) fields.set(name, toJson(value));
    } catch (error) {
      if (!(error instanceof PickleError)) throw error;
      throw invalidParameter(name.slice(0, 80), error.message);
    }
  }
  return fields;
}
