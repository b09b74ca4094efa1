import type { CompatVersion, DecodingMode } from '../generate-config.ts';
import type { Activity, JsonSchema, ParameterGroup, ParameterRecord, ValueShape } from './parameter-record.ts';
import { PARAMETERS } from './parameter-table.ts';
import { jsonSchemaOf } from './value-schema.ts';

/** One parameter as plain data, for help, forms and documentation. */
export interface ParameterDescription {
  readonly name: string;
  readonly group: ParameterGroup;
  readonly versions: readonly CompatVersion[];
  /** A parameter of this product; the others are transformers'. */
  readonly own: boolean;
  /** One sentence. */
  readonly help: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  /** Bounds of a number. */
  readonly min?: number;
  readonly max?: number;
  /** Exclusive lower bound. */
  readonly above?: number;
  /** Values of a choice. */
  readonly choices?: readonly (string | boolean)[];
  /** Form of the JSON, for example `[id, …]`; set for type `json`. */
  readonly form?: string;
  /** The default of the version, as JSON or in words. */
  readonly default?: number | boolean | string;
  /** The value that disables it, if that is not the default. */
  readonly neutral?: number;
  /** The decoding modes in which it acts. */
  readonly modes: readonly DecodingMode[];
  /** It acts only together with `do_sample`, or in one of `modes` that does not sample. */
  readonly needsSampling: boolean;
  /** Completes "NAME is ignored: …" where it does not act; absent: it acts everywhere, or that depends on values. */
  readonly otherwise?: string;
  /** `none`: accepted without effect. `refused`: `help` says why. */
  readonly effect: 'acts' | 'none' | 'refused';
  readonly schema: JsonSchema;
}

const ALL_MODES: readonly DecodingMode[] = [
  'greedy',
  'sample',
  'beam',
  'beam-sample',
  'group',
  'constrained',
  'contrastive',
  'dola',
  'score',
];
const SAMPLING_MODES: readonly DecodingMode[] = ['sample', 'beam-sample', 'dola'];

/** The parameters of a version, of both versions by default, in the order in which help shows them. */
export function describeParameters(
  compat?: CompatVersion,
  table: readonly ParameterRecord[] = PARAMETERS,
): readonly ParameterDescription[] {
  return describeRecords(table, compat);
}

/** The same for other records. */
export function describeRecords(
  table: readonly ParameterRecord[],
  compat: CompatVersion | undefined,
): readonly ParameterDescription[] {
  return table
    .filter(({ versions }) => compat === undefined || versions.includes(compat))
    .map((record) => ({
      name: record.name,
      group: record.group,
      versions: record.versions,
      own: record.own === true,
      help: record.help,
      ...shapeOf(record.value),
      ...defaultOf(record, compat),
      ...(record.neutral === undefined ? {} : { neutral: record.neutral }),
      modes: modesOf(record.acts),
      needsSampling: record.acts?.sampling === true,
      ...(record.acts === undefined ? {} : { otherwise: record.acts.otherwise }),
      effect: record.unsupported !== undefined ? 'refused' : record.noEffect === true ? 'none' : 'acts',
      schema: schemaOf(record),
    }));
}

/** JSON Schemas of the accepted parameters by name: the properties of an object that takes all of them. */
export function parameterSchemas(
  compat?: CompatVersion,
  table: readonly ParameterRecord[] = PARAMETERS,
): Readonly<Record<string, JsonSchema>> {
  const accepted = describeParameters(compat, table).filter(({ effect }) => effect !== 'refused');
  return Object.fromEntries(accepted.map(({ name, schema }) => [name, schema]));
}

/** Without a version, the default of 5.18. */
function defaultOf(record: ParameterRecord, compat: CompatVersion = '5.18'): Pick<ParameterDescription, 'default'> {
  const found = record.defaultIn?.[compat];
  const fallback = found === undefined ? record.default : found;
  return fallback === undefined || fallback === null ? {} : { default: fallback };
}

function shapeOf(value: ValueShape): Pick<ParameterDescription, 'type' | 'min' | 'max' | 'above' | 'choices' | 'form'> {
  return value.type === 'json' ? { type: value.type, form: value.form } : value;
}

function modesOf(acts: Activity | undefined): readonly DecodingMode[] {
  if (acts === undefined) return ALL_MODES;
  const { sampling, modes = [] } = acts;
  return ALL_MODES.filter((mode) => (sampling === true && SAMPLING_MODES.includes(mode)) || modes.includes(mode));
}

function schemaOf({ value, help, default: fallback }: ParameterRecord): JsonSchema {
  // Defaults in words are no JSON values.
  const hasValue = fallback !== undefined && (typeof fallback !== 'string' || value.type === 'choice');
  return { description: help, ...jsonSchemaOf(value), ...(hasValue ? { default: fallback } : {}) };
}
