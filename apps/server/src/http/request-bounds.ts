/** What is refused of every request before its route, its token or its body are looked at. */
import { ApiError } from '@gptj-cloud/protocol';
import { codePointName, controlCharacterAt } from './control-characters.ts';

/** Longest path, and longest query. Ids have 40 characters, and the replies of OAuth providers fit. */
const MAX_PATH_BYTES = 2048;
const MAX_QUERY_BYTES = 2048;
/** `%00` to `%1F`, `%7F` to `%9F` in UTF-8. */
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f|c2%[89][0-9a-f])/i;

/** Throws `url_too_long` and `control_character`. */
export function checkBounds(request: Request): void {
  const { url } = request;
  const pathAt = url.indexOf('/', url.indexOf('//') + 2);
  const queryAt = url.indexOf('?', pathAt);
  const pathEnd = queryAt === -1 ? url.length : queryAt;
  refuseLong('path', pathEnd - pathAt, MAX_PATH_BYTES);
  refuseLong('query', url.length - pathEnd, MAX_QUERY_BYTES);
  const address = url.slice(pathAt);
  const encoded = ENCODED_CONTROL.exec(address)?.[0];
  if (encoded !== undefined) throw new ApiError('control_character', { place: 'the address', got: encoded });
  refuseControl('the address', address);
  for (const [name, value] of request.headers) {
    // RFC 9110 allows tabs in the values of headers.
    refuseControl(`the header ${name.slice(0, 40)}`, value.replaceAll('\t', ' '));
  }
}

function refuseLong(part: string, length: number, limit: number): void {
  if (length > limit) throw new ApiError('url_too_long', { part, limit, got: length });
}

function refuseControl(place: string, value: string): void {
  const at = controlCharacterAt(value);
  // Header values are bytes: those of UTF-8 beyond ASCII look like the controls from U+0080 on.
  if (at === -1 || value.charCodeAt(at) >= 0x80) return;
  throw new ApiError('control_character', { place, got: codePointName(value, at) });
}
