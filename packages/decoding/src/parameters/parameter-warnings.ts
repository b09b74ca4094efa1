import type { GenerateConfig } from '../generate-config.ts';
import type { Activity, ParameterRecord } from './parameter-record.ts';
import type { Fields } from './read-value.ts';

/** One sentence for each given parameter that has no effect, naming it and the reason, and for each caution. */
export function parameterWarnings(given: Fields, config: GenerateConfig, table: readonly ParameterRecord[]): string[] {
  return table
    .filter(({ name }) => given.has(name))
    .flatMap((record) => {
      const reason = reasonIgnored(record, given, config);
      if (reason !== null) return [`${record.name} is ignored: ${reason}`];
      const caution = record.caution?.(config) ?? null;
      return caution === null ? [] : [`${record.name} ${caution}`];
    });
}

function reasonIgnored(record: ParameterRecord, given: Fields, config: GenerateConfig): string | null {
  if (record.noEffect === true) return 'it has no effect on tokens here';
  if (record.acts !== undefined && !isActive(record.acts, config)) return record.acts.otherwise;
  return record.ignored?.(config, given) ?? null;
}

function isActive({ sampling, modes = [] }: Activity, { doSample, mode }: GenerateConfig): boolean {
  return (sampling === true && doSample) || modes.includes(mode);
}
