import { z } from 'zod';

/** Maximum number of characters of a caller's string in a message. */
const MAX_SHOWN = 40;

/** Names of types for people who write JSON. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
};

/**
 * Zod error map that writes issues as `expected …, got …`. Pass it to every `safeParse` whose issues become a message.
 * Strings are repeated, truncated, only where the schema has a list of choices: a value sent in the wrong field may be a
 * password.
 */
export const issueText: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}, got ${issue.expected === 'int' ? size(issue.input) : kindOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}, got ${choice(issue.input)}`;
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}, got ${size(issue.input)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}, got ${size(issue.input)}`;
    case 'unrecognized_keys':
      return `expected only ${fieldsOf(issue.inst)}, got ${issue.keys.slice(0, 20).map(show).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'expected epoch seconds, or ISO 8601 with a zone like 2026-12-01T00:00:00Z, got another string'
        : `expected a string in the format ${issue.format}, got another string`;
    case 'invalid_union':
      return `expected another kind of value, got ${kindOf(issue.input)}`;
    default:
      return undefined;
  }
};

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null || typeof value === 'boolean') return String(value);
  return TYPES[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}

function choice(value: unknown): string {
  return typeof value === 'string' ? show(value) : kindOf(value);
}

function show(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

function amount(bound: number | bigint, origin: string): string {
  if (origin === 'string') return `${bound} character${bound === 1 ? '' : 's'}`;
  return origin === 'array' ? `${bound} ${bound === 1 ? 'entry' : 'entries'}` : String(bound);
}

/** Length of a string or array, or the value of a number. */
function size(value: unknown): string {
  if (typeof value === 'string' || Array.isArray(value)) return String(value.length);
  return typeof value === 'number' ? String(value) : kindOf(value);
}

function fieldsOf(schema: unknown): string {
  if (!(schema instanceof z.ZodObject)) return 'known fields';
  const names = Object.keys(schema.shape);
  return `the field${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}
