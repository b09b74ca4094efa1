import {
  cursorSchema,
  invalidParameter,
  issueText,
  MAX_PAGE,
  type OrderBy,
  type PageCursor,
} from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { JsonSchema } from './openapi/operation.ts';

/** Characters of a value that an error repeats. */
const MAX_SHOWN = 40;
const MAX_SKIP = 2 ** 31 - 1;

/** A value in the query string or in a header. One schema validates it and describes it. */
export interface Parameter<Value> {
  readonly in: 'query' | 'header';
  /** As the client writes it. */
  readonly name: string;
  readonly description: string;
  readonly schema: z.ZodType<Value>;
  /** The schema as the reference shows it. */
  readonly described: JsonSchema;
  /** Whether a request without it is refused. */
  readonly isRequired: boolean;
}

/** Parameters of a route, by the names its handler uses. */
export type ParameterSet = Readonly<Record<string, Parameter<unknown>>>;

export type ParameterValues<Parameters extends ParameterSet> = {
  readonly [Name in keyof Parameters]: Parameters[Name] extends Parameter<infer Value> ? Value : never;
};

/** A parameter of the query string. The schema receives an integer or a boolean if it describes one, else the string. */
export function query<Value>(name: string, description: string, schema: z.ZodType<Value>): Parameter<Value> {
  return parameter('query', name, description, schema);
}

/** A parameter in a header. */
export function header<Value>(name: string, description: string, schema: z.ZodType<Value>): Parameter<Value> {
  return parameter('header', name, description, schema);
}

function parameter<Value>(
  place: 'query' | 'header',
  name: string,
  description: string,
  schema: z.ZodType<Value>,
): Parameter<Value> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' });
  return { in: place, name, description, schema, described, isRequired: !schema.safeParse(undefined).success };
}

/** The parameters of every paginated list; their values are a `PageQuery`. */
export const PAGE: {
  readonly skip: Parameter<number>;
  readonly limit: Parameter<number>;
  readonly orderBy: Parameter<OrderBy<'created_at'>>;
  readonly cursor: Parameter<PageCursor | undefined>;
} = {
  skip: query('skip', 'Number of entries to skip.', z.int().min(0).max(MAX_SKIP).default(0)),
  limit: query('limit', 'Maximum number of entries.', z.int().min(1).max(MAX_PAGE).default(20)),
  orderBy: query(
    'order_by',
    'Field and direction.',
    z
      .enum(['created_at:desc', 'created_at:asc'])
      .default('created_at:desc')
      .transform((order) => ({ field: 'created_at', direction: order === 'created_at:asc' ? 'asc' : 'desc' }) as const),
  ),
  cursor: query(
    'cursor',
    'Continue after an earlier page: its `next_cursor`. Takes the same time for every page; `skip` counts from there.',
    cursorSchema.optional(),
  ),
};

/** Read every parameter. Throws `invalid_request` for the first one whose schema refuses the value. */
export function readParameters<Parameters extends ParameterSet>(
  request: {
    readonly query: (name: string) => string | undefined;
    readonly header: (name: string) => string | undefined;
  },
  parameters: Parameters,
): ParameterValues<Parameters> {
  const values = Object.entries(parameters).map(([key, parameter]) => [key, readParameter(request, parameter)]);
  // The compiler cannot follow the names through Object.entries.
  return Object.fromEntries(values) as ParameterValues<Parameters>;
}

function readParameter(request: Parameters<typeof readParameters>[0], parameter: Parameter<unknown>): unknown {
  const { name, schema, described } = parameter;
  const raw = request[parameter.in](name);
  // httpx writes `name=` for a parameter that is not set.
  const given = parameter.in === 'query' && raw === '' ? undefined : raw;
  const parsed = schema.safeParse(given === undefined ? undefined : convert(given, described.type), {
    error: issueText,
  });
  if (parsed.success) return parsed.data;
  const expected = expectation(described) ?? parsed.error.issues[0]?.message ?? 'expected another value';
  throw invalidParameter(
    `${parameter.in}->${name}`,
    given === undefined ? expected : `${expected}, got ${show(given)}`,
  );
}

/** httpx sends `true`/`false`, requests `True`/`False`, users type `1`/`0`. */
function convert(raw: string, type: unknown): string | number | boolean {
  if (type === 'integer' && /^\d{1,10}$/.test(raw)) return Number(raw);
  if (type === 'boolean' && /^(true|1)$/i.test(raw)) return true;
  if (type === 'boolean' && /^(false|0)$/i.test(raw)) return false;
  return raw;
}

function expectation({ type, minimum, maximum, enum: choices }: JsonSchema): string | null {
  if (type === 'integer') return `expected an integer from ${minimum} to ${maximum}`;
  if (type === 'boolean') return 'expected true or false';
  return Array.isArray(choices) ? `expected one of ${choices.join(', ')}` : null;
}

function show(value: string): string {
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}
