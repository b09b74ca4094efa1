import { ApiError } from '@gptj-cloud/protocol';
import { onePart, type Part, parseMultipart } from './multipart.ts';
import { type BodyLimit, mediaType, readBody } from './request-body.ts';
import type { RequestBody } from './route.ts';

/**
 * One named part of a form, with a file in it; other parts are ignored.
 * Its reader throws `unsupported_media_type`, `invalid_multipart` and the errors of `readBody`.
 */
export function formPart(name: string, description: string, limit: BodyLimit): RequestBody<Part> {
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
      const contentType = request.headers.get('content-type') ?? '';
      return onePart(parseMultipart(await readBody(request, limit), contentType), name);
    },
  };
}

export function isForm(request: Request): boolean {
  return mediaType(request) === 'multipart/form-data';
}
