/** Records of parameters that are a plain number or boolean. */
import type { GenerateConfig } from '../generate-config.ts';
import type { ParameterRecord, ParameterSituation } from './parameter-record.ts';
import { type Bounds, toBoolean, toBoundedNumber } from './read-value.ts';

type Details = Omit<ParameterRecord, 'value' | 'default' | 'read'>;

interface NumberDetails<Default extends number | null> extends Details, Bounds {
  readonly type: 'number' | 'integer';
  /** null: absent. */
  readonly default: Default;
  /** Where the bounds are checked; elsewhere the value is taken as it is. Default: everywhere. */
  readonly checkedWhen?: (situation: ParameterSituation) => boolean;
  readonly land: (value: number | Default, situation: ParameterSituation) => Partial<GenerateConfig>;
}

/** A number within bounds. `land` gives the fields of the configuration that it sets. */
export function numberParameter<const Default extends number | null>(details: NumberDetails<Default>): ParameterRecord {
  const { type, default: fallback, min, max, above, hint, checkedWhen, land, ...record } = details;
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
      if (given === undefined) return land(fallback, situation);
      const isChecked = checkedWhen === undefined || checkedWhen(situation);
      return land(toBoundedNumber(record.name, given, type, isChecked ? bounds : {}), situation);
    },
  };
}

interface BooleanDetails extends Details {
  readonly default: boolean;
  readonly land: (value: boolean, situation: ParameterSituation) => Partial<GenerateConfig>;
}

export function booleanParameter(details: BooleanDetails): ParameterRecord {
  const { default: fallback, land, ...record } = details;
  return {
    ...record,
    value: { type: 'boolean' },
    default: fallback,
    read: (fields, situation) => land(toBoolean(record.name, fields.get(record.name) ?? fallback), situation),
  };
}
