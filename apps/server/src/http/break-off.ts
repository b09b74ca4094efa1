import { ApiError } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import type { AppEnv } from '../api/access/app-env.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Ends a reply that has begun and cannot be finished. */
export type BreakOff = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown) => void;

/** For replies that nobody need be told of. */
export const FAIL_BODY: BreakOff = (controller, error) => controller.error(error);

/** Log why, and end the connection: its status is sent, and half a reply must not look like a whole one. */
export function breakOff(c: Context<AppEnv>, logger: Logger): BreakOff {
  return (controller, error) => {
    const request = { request_id: c.get('requestId') };
    if (error instanceof ApiError) logger.warn('reply broken off', { ...request, code: error.code });
    else logger.error('reply broken off', { ...request, error });
    const peer = c.env?.peer;
    if (peer === undefined) {
      FAIL_BODY(controller, error);
      return;
    }
    // A body that fails is printed by the HTTP library, in its own words; one that ends on a dead connection is not.
    peer.breakOff();
    controller.close();
  };
}
