import type { TextModel } from '../../generation/text-model.ts';
import { checkModelName, modelNames } from '../../generation/text-model.ts';

export interface ModelEntry {
  id: string;
  object: 'model';
  /** Seconds since 1970: when the server began to serve it. */
  created: number;
  owned_by: string;
}

export interface ModelList {
  object: 'list';
  data: readonly ModelEntry[];
}

/** Every name that requests may use. */
export function listModels(model: TextModel, servedSince: Date): ModelList {
  return { object: 'list', data: modelNames(model).map((name) => toEntry(name, servedSince)) };
}

/** Throws `model_unknown`. */
export function describeModel(model: TextModel, name: string, servedSince: Date): ModelEntry {
  checkModelName(model, name);
  const known = modelNames(model).find((one) => one.toLowerCase() === name.toLowerCase());
  return toEntry(known ?? name, servedSince);
}

function toEntry(id: string, servedSince: Date): ModelEntry {
  return { id, object: 'model', created: Math.floor(servedSince.getTime() / 1000), owned_by: 'gptj-cloud' };
}
