/**
 * Configurations that several generations share, and large values of parameters, such as thousands of biases, that several
 * configurations share: they are sent to the engine's process once. The sender keeps a table of the values that the
 * receiver has, the receiver keeps the values; both change with the messages of one channel, whose order they share.
 *
 * A configuration that is sent for the second time is kept from then on. Most are sent once.
 *
 * Invariants
 * - The receiver has every value of the sender's table, and no others once it has read the newest message.
 * - The table holds at most `MAX_KEPT` entries of lists together; the values used longest ago leave first.
 */
import type { CustomProcessor, GenerateConfig } from '@gptj-cloud/decoding';

/** Where a value belongs in the configuration: a field, or a field of one of the custom processors. */
interface Place {
  readonly field: string;
  /** Index of the custom processor; null: a field of the configuration itself. */
  readonly processor: number | null;
}

/** A configuration as it is sent. */
export interface PackedConfig {
  /** Without its large values; null: the one that is kept under `id`. */
  readonly config: GenerateConfig | null;
  /** The receiver keeps the configuration under it. Null: it does not. */
  readonly id: number | null;
  readonly large: readonly (Place & { readonly id: number })[];
  /** The values among them that the receiver does not have. */
  readonly added: readonly (readonly [id: number, value: object])[];
  /** Values to forget when this message is read. */
  readonly forgotten: readonly number[];
}

/** Numbers, texts and lists in a value from which on it is sent once. */
const MIN_LARGE = 256;
/** Characters that take the memory of a number. */
const CHARACTERS_PER_NUMBER = 8;
/** Entries in the table together, about ten megabytes in each process. */
const MAX_KEPT = 200_000;

export interface ConfigPacker {
  /** The message must be sent, and in the order of the calls. */
  pack(config: GenerateConfig): PackedConfig;
}

export function createConfigPacker(): ConfigPacker {
  /** In order of use. */
  const known = new Map<object, { readonly id: number; readonly size: number }>();
  const sentBefore = new WeakSet<GenerateConfig>();
  let kept = 0;
  let nextId = 0;

  const touch = (value: object): number | null => {
    const found = known.get(value);
    if (found === undefined) return null;
    known.delete(value);
    known.set(value, found);
    return found.id;
  };
  const keep = (value: object, size: number): number => {
    const id = nextId++;
    known.set(value, { id, size });
    kept += size;
    return id;
  };

  /** The value's id, when it is sent by id. */
  const idOf = (value: object, added: [number, object][]): number | null => {
    const found = touch(value);
    if (found !== null) return found;
    const size = sizeOf(value, MAX_KEPT);
    if (size < MIN_LARGE || size >= MAX_KEPT) return null;
    const id = keep(value, size);
    added.push([id, value]);
    return id;
  };
  /** The id of a configuration that was sent before; null: it is not kept. */
  const configIdOf = (config: GenerateConfig): number | null => {
    if (!sentBefore.has(config)) {
      sentBefore.add(config);
      return null;
    }
    // Its large values count again: they stay with it when the table forgets them.
    const size = sizeOf(config, MAX_KEPT);
    return size >= MAX_KEPT ? null : keep(config, size);
  };
  const forget = (): number[] => {
    const forgotten: number[] = [];
    for (const [value, { id, size }] of known) {
      if (kept <= MAX_KEPT) break;
      known.delete(value);
      kept -= size;
      forgotten.push(id);
    }
    return forgotten;
  };

  return {
    pack(config) {
      const same = touch(config);
      if (same !== null) return { config: null, id: same, large: [], added: [], forgotten: [] };
      const own = configIdOf(config);
      const added: [number, object][] = [];
      const large: (Place & { readonly id: number })[] = [];
      const withoutLarge = <Fields extends object>(fields: Fields, processor: number | null): Fields => {
        const rest = { ...fields };
        for (const [field, value] of Object.entries(fields)) {
          if (typeof value !== 'object' || value === null || field === 'customProcessors') continue;
          const id = idOf(value, added);
          if (id === null) continue;
          large.push({ field, processor, id });
          Reflect.deleteProperty(rest, field);
        }
        return rest;
      };
      const sent = withoutLarge(config, null);
      const customProcessors = config.customProcessors.map(
        (processor, at): CustomProcessor => ({ ...processor, config: withoutLarge(processor.config, at) }),
      );
      return { config: { ...sent, customProcessors }, id: own, large, added, forgotten: forget() };
    },
  };
}

export interface ConfigUnpacker {
  unpack(packed: PackedConfig): GenerateConfig;
}

export function createConfigUnpacker(): ConfigUnpacker {
  const values = new Map<number, object>();
  const configs = new Map<number, GenerateConfig>();
  return {
    unpack({ config, id: own, large, added, forgotten }) {
      if (config === null) return known(configs, own);
      for (const [id, value] of added) values.set(id, value);
      for (const { field, processor, id } of large) {
        const value = known(values, id);
        const fields = processor === null ? config : config.customProcessors[processor]?.config;
        if (fields !== undefined) Reflect.set(fields, field, value);
      }
      if (own !== null) configs.set(own, config);
      for (const id of forgotten) {
        values.delete(id);
        configs.delete(id);
      }
      return config;
    },
  };
}

function known<Value>(values: ReadonlyMap<number, Value>, id: number | null): Value {
  const value = id === null ? undefined : values.get(id);
  if (value === undefined) throw new RangeError(`expected a value that was sent before, got id ${id}`);
  return value;
}

/** Numbers, texts and lists in a value, long texts counting more, up to `max`. */
function sizeOf(value: unknown, max: number): number {
  if (typeof value === 'string') return 1 + value.length / CHARACTERS_PER_NUMBER;
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const entry of Array.isArray(value) ? value : Object.values(value)) {
    size += sizeOf(entry, max - size);
    if (size >= max) break;
  }
  return size;
}
