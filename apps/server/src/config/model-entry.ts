import { resolve } from 'node:path';
import { isModelName } from '@gptj-cloud/model-store';

/** A model to serve, as a setting names it. */
export interface ModelEntry {
  /** The name by which requests choose it; null: the one that it has. */
  readonly name: string | null;
  /** A name, a file or a folder; null: the embedded model. */
  readonly source: string | null;
}

/** Where the model of an entry is, for `findModelFile`. */
export interface ModelChoice {
  /** The name by which requests choose it; null: the one that it has. */
  readonly name: string | null;
  /** GGUF file, or a checkpoint in another form; null: the embedded model. */
  readonly modelPath: string | null;
  /** The same setting, where it may be the name of a pulled model: it is one if there is nothing at the path. */
  readonly modelName: string | null;
}

/** An entry of `GPTJ_MODELS`: `gpt-j-6b`, `/models/a.gguf`, `chat=/models/a.gguf`; undefined where nothing is named. */
export function readModelEntry(text: string): ModelEntry | undefined {
  const at = text.indexOf('=');
  const name = at < 0 ? '' : text.slice(0, at).trim();
  const source = text.slice(at + 1).trim();
  // A path may contain the character.
  if (!isModelName(name)) return at === 0 ? undefined : { name: null, source: text };
  return source === '' ? undefined : { name, source };
}

function chooseModelEntry({ name, source }: ModelEntry): ModelChoice {
  return {
    name,
    modelPath: source === null ? null : resolve(source),
    modelName: source !== null && isModelName(source) ? source : null,
  };
}

/** The models to serve, the first one first: `GPTJ_MODEL` before `GPTJ_MODELS`, each once. */
export function chooseModels(first: string | null, entries: readonly ModelEntry[]): readonly ModelChoice[] {
  const all = first === null && entries.length > 0 ? entries : [{ name: null, source: first }, ...entries];
  const isNew = ({ name, source }: ModelEntry, at: number): boolean =>
    all.findIndex((each) => each.name === name && each.source === source) === at;
  return all.filter(isNew).map(chooseModelEntry);
}
