import { type AdapterUse, canonicalAdapters, MAX_ADAPTERS_PER_SEQUENCE, ModelError } from '@gptj-cloud/model';

/** An adapter that a model has loaded, at a scale. */
export interface ResolvedUse<Loaded> {
  readonly adapter: Loaded;
  readonly scale: number;
}

/**
 * The loaded adapters of a sequence, in the order in which their additions are summed: equal sets give equal bits. Null: none.
 * Throws `unknown_adapter`, and RangeError for mistakes of the caller: too many, one twice, a scale that is not finite.
 */
export function resolveAdapters<Loaded>(
  loaded: ReadonlyMap<string, Loaded>,
  uses: readonly AdapterUse[],
): readonly ResolvedUse<Loaded>[] | null {
  if (uses.length > MAX_ADAPTERS_PER_SEQUENCE) {
    throw new RangeError(`open: expected at most ${MAX_ADAPTERS_PER_SEQUENCE} adapters, got ${uses.length}`);
  }
  if (new Set(uses.map(({ name }) => name)).size < uses.length) {
    throw new RangeError('open: expected every adapter once');
  }
  for (const { name, scale } of uses) {
    if (!Number.isFinite(scale)) throw new RangeError(`open: expected a finite scale of ${name}, got ${scale}`);
    if (!loaded.has(name)) throw unknownAdapter(name, [...loaded.keys()]);
  }
  const resolved = canonicalAdapters(uses).map(({ name, scale }) => ({ adapter: loaded.get(name)!, scale }));
  return resolved.length === 0 ? null : resolved;
}

export function unknownAdapter(name: string, loaded: readonly string[]): ModelError {
  const there = loaded.length === 0 ? 'this model has none' : `this model has ${loaded.join(', ')}`;
  return new ModelError('unknown_adapter', `expected an adapter of this model, got ${JSON.stringify(name)}: ${there}`);
}
