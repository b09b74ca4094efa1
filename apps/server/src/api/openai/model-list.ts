import type { TextModel } from '../../generation/text-model.ts';
import { modelNames, namedModel } from '../../generation/text-model.ts';

const OWNER = 'gptj-cloud';

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
  return toEntry(knownName(model, name), servedSince);
}

/** A model as OpenAI's API of 2022 described it. */
export interface EngineEntry {
  id: string;
  object: 'engine';
  owner: string;
  ready: true;
}

export interface EngineList {
  object: 'list';
  data: readonly EngineEntry[];
}

/** Every name that requests may use. */
export function listEngines(model: TextModel): EngineList {
  return { object: 'list', data: modelNames(model).map(toEngine) };
}

/** Throws `model_unknown`. */
export function describeEngine(model: TextModel, name: string): EngineEntry {
  return toEngine(knownName(model, name));
}

function toEngine(id: string): EngineEntry {
  return { id, object: 'engine', owner: OWNER, ready: true };
}

/** A name of the model as the lists spell it. Throws `model_unknown`. */
function knownName(model: TextModel, name: string): string {
  namedModel(model, name);
  return modelNames(model).find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
}

function toEntry(id: string, servedSince: Date): ModelEntry {
  return { id, object: 'model', created: Math.floor(servedSince.getTime() / 1000), owned_by: OWNER };
}
