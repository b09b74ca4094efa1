/** Kinds of objects of the API. An id is `<kind>_<32 lower-case hex digits>`. */
export const ID_KINDS = [
  'pipeline',
  'function',
  'model',
  'file',
  'run',
  'data',
  'project',
  'environment',
  'token',
  'user',
  'pipeline_tag',
  'webhook',
  'webhook_delivery',
  'session',
  'invitation',
  'identity',
  'preset',
  'evaluation',
] as const;

export type IdKind = (typeof ID_KINDS)[number];

/** The pipeline that ran GPT-J 6B in 2022; every published snippet names it. */
export const GPTJ_PIPELINE_ID = 'pipeline_d7502b78863744c495d7d22f321cf7ff';

const ID_BYTES = 16;
/** Random bytes of the next ids: the generator takes as long for one id as for all of them. */
const randomBytes = new Uint8Array(64 * ID_BYTES);
let usedBytes = randomBytes.length;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A fresh random id (128 bits). */
export function newId(kind: IdKind): string {
  if (usedBytes === randomBytes.length) {
    crypto.getRandomValues(randomBytes);
    usedBytes = 0;
  }
  let digits = '';
  for (const end = usedBytes + ID_BYTES; usedBytes < end; usedBytes++) digits += HEX[randomBytes[usedBytes]!];
  return `${kind}_${digits}`;
}

/** Whether `text` is an id of that kind. Upper-case digits are refused: ids are compared as text. */
export function isId(kind: IdKind, text: string): boolean {
  return text.length === kind.length + 33 && text.startsWith(`${kind}_`) && /^[0-9a-f]{32}$/.test(text.slice(-32));
}
