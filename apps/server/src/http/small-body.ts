import type { Context } from 'hono';
import type { AppEnv } from './app-env.ts';
import { type BodySchema, readJsonBody } from './json-body.ts';

/** Nothing about an account, token or project is longer. */
const SMALL_BODY_BYTES = 16_384;

/** A small JSON body as a schema wants it. Throws what `readJsonBody` throws. */
export async function readSmallBody<Value>(c: Context<AppEnv>, schema: BodySchema<Value>): Promise<Value> {
  return (await readJsonBody(c.req.raw, schema, SMALL_BODY_BYTES)).value;
}
