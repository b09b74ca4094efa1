import { ApiError } from '@gptj-cloud/protocol';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestContext } from './request-context.ts';

/** Aborts a reply whose headers are sent and that cannot be completed. */
export type AbortReply = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown) => void;

/** Fail the body without a log line. */
export const FAIL_BODY: AbortReply = (controller, error) => controller.error(error);

/** Log the error and close the connection: the status is sent already, and a truncated reply must not look complete. */
export function abortReply({ requestId, peer }: RequestContext, logger: Logger): AbortReply {
  return (controller, error) => {
    const request = { request_id: requestId };
    if (error instanceof ApiError) logger.warn('reply aborted', { ...request, code: error.code });
    else logger.error('reply aborted', { ...request, error });
    if (peer === undefined) {
      FAIL_BODY(controller, error);
      return;
    }
    // The HTTP library prints the error of a failed body; it prints nothing for a body that ends on a dead connection.
    peer.disconnect();
    controller.close();
  };
}
