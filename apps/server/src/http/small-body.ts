import { ApiError } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import type { AppEnv } from '../api/access/app-env.ts';
import { type BodySchema, readJsonBody } from './json-body.ts';

/** Nothing about an account, token or project is longer. */
const SMALL_BODY_BYTES = 16_384;

/** A small JSON body as a schema wants it. Throws what `readJsonBody` throws. */
export async function readSmallBody<Value>(c: Context<AppEnv>, schema: BodySchema<Value>): Promise<Value> {
  try {
    return (await readJsonBody(c.req.raw, schema, SMALL_BODY_BYTES)).value;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'body_too_large')) throw error;
    const remedy = 'send less: no field of this address is that long, and no setting raises this limit';
    throw new ApiError('body_too_large', { limit: SMALL_BODY_BYTES }, { remedy, cause: error });
  }
}
