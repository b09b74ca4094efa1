import type { ErrorEntry } from './error-entry.ts';

/** Errors of reading a request: its address, its body and its input. */
export const REQUEST_ERRORS = {
  invalid_json: {
    status: 400,
    message: 'body is not valid JSON: {reason}',
    remedy: 'send one JSON object in UTF-8',
  },
  invalid_request: {
    status: 400,
    message: '{count} in request: {summary}',
    remedy: 'correct the parameters listed in errors',
  },
  invalid_multipart: {
    status: 400,
    message: 'body is not valid multipart/form-data: {reason}',
    remedy: 'send the parts that the route expects, with the boundary given in Content-Type',
  },
  unsupported_media_type: {
    status: 415,
    message: 'expected Content-Type {expected}, got {got}',
    remedy: 'send the body in the expected format',
  },
  encoding_refused: {
    status: 415,
    message: 'expected a body without Content-Encoding, got {got}',
    remedy: 'send the body as it is, not compressed',
  },
  invalid_hex: {
    status: 400,
    message: 'the file is not hexadecimal: {reason}',
    remedy: 'send the hex digits of the bytes, two for each byte',
  },
  invalid_pickle: {
    status: 400,
    message: 'data cannot be read: {reason}',
    remedy:
      'send strings, numbers, booleans, None, lists, tuples and dicts with string keys; objects of classes are refused',
  },
  invalid_input: {
    status: 400,
    message: '{reason}',
    remedy: 'correct the input of the run and send it again',
  },
  invalid_parameter: {
    status: 400,
    message: '{reason}',
    remedy: 'correct the parameters that the message names and send the request again',
  },
  url_too_long: {
    status: 414,
    message: 'the {part} of the address is too long: expected at most {limit} bytes, got {got}',
    remedy: 'shorten it; no setting raises this limit',
  },
  control_character: {
    status: 400,
    message: '{place} contains the control character {got}',
    remedy: 'remove it',
  },
  request_too_costly: {
    status: 400,
    message: 'reading {what} takes more than the {limit} that one request may use',
    remedy: 'send fewer prompts, shorter lists or a simpler pattern in one request',
  },
  parsing_busy: {
    status: 503,
    message: 'the server is reading as many large requests as it can',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  body_too_large: {
    status: 413,
    message: 'body is too large: expected at most {limit} bytes',
    remedy: 'send less, or ask the operator to raise the limit',
  },
  body_incomplete: {
    status: 400,
    message: 'the body was incomplete or arrived too slowly',
    remedy: 'send the request again',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
