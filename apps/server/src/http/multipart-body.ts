import { ApiError } from '@gptj-cloud/protocol';
import { currentLoad } from './load/current-load.ts';
import { openPart, type PartHead } from './multipart.ts';
import { type BodyLimit, mediaType, openBody } from './request-body.ts';
import type { RequestBody } from './route.ts';

/** A part of a form, whose bytes arrive while the handler takes them. */
export interface FormPart extends PartHead {
  /** The bytes, once. Throws `body_too_large`, `body_incomplete`, `invalid_multipart`. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The most bytes that it may have by the length of the body that the client announced; null without one. */
  readonly announcedBytes: number | null;
  /** Read what the client still sends of the body. */
  end(): Promise<void>;
}

/** What the server holds of a part in flight: the slice that is collected, its digits, and the chunks of the connection. */
const HELD_BYTES = 2 ** 20;

/**
 * One named part of a form, with a file in it; other parts are ignored. The handler gets it when its first bytes arrive.
 * Its reader throws `unsupported_media_type`, `encoding_refused`, `invalid_multipart` and the errors of `openBody`.
 */
export function formPart(name: string, description: string, limit: BodyLimit): RequestBody<FormPart> {
  const schema = { type: 'object', required: [name], properties: { [name]: { type: 'string', description } } };
  return {
    content: [{ type: 'multipart/form-data', schema }],
    async read(request) {
      if (!isForm(request)) {
        const got = mediaType(request);
        throw new ApiError('unsupported_media_type', {
          expected: 'multipart/form-data',
          got: got === '' ? 'none' : got,
        });
      }
      const load = currentLoad();
      const body = openBody(request, limit, (bytes) => load?.pass(bytes));
      try {
        load?.hold(Math.min(HELD_BYTES, body.announcedBytes ?? HELD_BYTES));
        const contentType = request.headers.get('content-type') ?? '';
        const { otherBytes, ...part } = await openPart(() => body.next(), contentType, name);
        const announcedBytes = body.announcedBytes === null ? null : Math.max(0, body.announcedBytes - otherBytes);
        return { ...part, announcedBytes, end: () => body.end() };
      } catch (error) {
        await body.end();
        throw error;
      }
    },
    end: (part) => part.end(),
  };
}

export function isForm(request: Request): boolean {
  return mediaType(request) === 'multipart/form-data';
}
