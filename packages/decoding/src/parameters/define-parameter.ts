/** Records of parameters that are a plain number or boolean. */
import type { GenerateConfig } from '../generate-config.ts';
import type { ParameterRecord, ParameterSituation } from './parameter-record.ts';
import { type Bounds, toBoolean, toBoundedNumber } from './read-value.ts';

type Details = Omit<ParameterRecord, 'value' | 'default' | 'read'>;

interface NumberDetails<Default extends number | null> extends Details, Bounds {
  readonly type: 'number' | 'integer';
  /** null: absent. */
  readonly default: Default;
  /** When the bounds are checked; otherwise any value is accepted. Default: always. */
  readonly checkedWhen?: (situation: ParameterSituation) => boolean;
  readonly toConfig: (value: number | Default, situation: ParameterSituation) => Partial<GenerateConfig>;
}

/** A number within bounds. `toConfig` returns the configuration fields that the value sets. */
export function numberParameter<const Default extends number | null>(details: NumberDetails<Default>): ParameterRecord {
  const { type, default: fallback, min, max, above, hint, checkedWhen, toConfig, ...record } = details;
  const bounds: Bounds = {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(above === undefined ? {} : { above }),
    ...(hint === undefined ? {} : { hint }),
  };
  const { hint: _, ...range } = bounds;
  return {
    ...record,
    value: { type, ...range },
    ...(fallback === null ? {} : { default: fallback }),
    read: (fields, situation) => {
      const given = fields.get(record.name);
      if (given === undefined) return toConfig(fallback, situation);
      const isChecked = checkedWhen === undefined || checkedWhen(situation);
      return toConfig(toBoundedNumber(record.name, given, type, isChecked ? bounds : {}), situation);
    },
  };
}

interface BooleanDetails extends Details {
  readonly default: boolean;
  readonly toConfig: (value: boolean, situation: ParameterSituation) => Partial<GenerateConfig>;
}

export function booleanParameter(details: BooleanDetails): ParameterRecord {
  const { default: fallback, toConfig, ...record } = details;
  return {
    ...record,
    value: { type: 'boolean' },
    default: fallback,
    read: (fields, situation) => toConfig(toBoolean(record.name, fields.get(record.name) ?? fallback), situation),
  };
}
