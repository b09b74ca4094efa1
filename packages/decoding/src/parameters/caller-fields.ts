const NO_NAMES: ReadonlyMap<string, string> = new Map();

/**
 * Merge the fields of a request over those of its `generation_config`, as for one call of `generate`, so that the
 * caller's values in either place override the defaults of an API. `readFields`: the fields of an object; undefined for
 * anything else. `names`: the API's names for parameters of `generate`.
 *
 * An invalid `generation_config` is left unchanged: `generate` refuses it by name.
 */
export function mergeGenerationConfig<Value>(
  fields: ReadonlyMap<string, Value>,
  readFields: (value: Value) => ReadonlyMap<string, Value> | undefined,
  names: ReadonlyMap<string, string> = NO_NAMES,
): ReadonlyMap<string, Value> {
  const config = fields.get('generation_config') ?? null;
  if (config === null || fields.get('compat') === '4.25') return fields;
  const inner = readFields(config);
  if (inner === undefined || inner.has('generation_config') || inner.has('compat')) return fields;
  const merged = new Map<string, Value>();
  for (const [name, value] of inner) merged.set(names.get(name) ?? name, value);
  for (const [name, value] of fields) if (name !== 'generation_config' && value !== null) merged.set(name, value);
  return merged;
}
