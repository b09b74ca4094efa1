import { ApiError } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestContext } from './request-context.ts';

/** Ends a reply that has begun and cannot be finished. */
export type BreakOff = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown) => void;

/** Fail the body without a log line. */
export const FAIL_BODY: BreakOff = (controller, error) => controller.error(error);

/** Log the error and end the connection: the status is sent, and half a reply must not look like a whole one. */
export function breakOff({ requestId, peer }: RequestContext, logger: Logger): BreakOff {
  return (controller, error) => {
    const request = { request_id: requestId };
    if (error instanceof ApiError) logger.warn('reply broken off', { ...request, code: error.code });
    else logger.error('reply broken off', { ...request, error });
    if (peer === undefined) {
      FAIL_BODY(controller, error);
      return;
    }
    // The HTTP library prints the error of a failed body; it prints nothing for a body that ends on a dead connection.
    peer.breakOff();
    controller.close();
  };
}
