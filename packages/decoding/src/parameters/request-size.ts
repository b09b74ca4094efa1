import { ParameterError } from '../parameter-error.ts';
import { LIMITS } from './parameter-context.ts';

/** Containers inside one another that a reader descends into: an entry of a list of a processor of a `generation_config`. */
const MAX_READ_DEPTH = 8;

/** Measures the values of a request, parameter by parameter, before any of them is read. */
export interface RequestSize {
  /** Throws `limit_exceeded`, naming the parameter, where the request holds too many values or too much text with it. */
  add(name: string, value: unknown): void;
}

/**
 * A meter of one request. Readers loop over values that were measured, so that each costs at most as much as the limits of
 * a whole request allow.
 */
export function createRequestSize(): RequestSize {
  let values = 0;
  let characters = 0;

  const addText = (name: string, text: string): void => {
    characters += text.length;
    if (characters > LIMITS.requestCharacters) {
      throw tooLarge(name, `${LIMITS.requestCharacters} characters of text`);
    }
  };
  const addChildren = (name: string, count: number): void => {
    values += count;
    if (values > LIMITS.requestValues) throw tooLarge(name, `${LIMITS.requestValues} values`);
  };
  const visit = (name: string, value: unknown, depth: number): void => {
    if (typeof value === 'string') addText(name, value);
    else if (Array.isArray(value)) {
      addChildren(name, value.length);
      if (depth < MAX_READ_DEPTH) for (const child of value) visit(name, child, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const keys = Object.keys(value);
      addChildren(name, keys.length);
      for (const key of keys) addText(name, key);
      if (depth < MAX_READ_DEPTH) for (const child of Object.values(value)) visit(name, child, depth + 1);
    }
  };
  return { add: (name, value) => visit(name, value, 0) };
}

function tooLarge(name: string, limit: string): ParameterError {
  return new ParameterError(
    'limit_exceeded',
    [name],
    `${name}: expected at most ${limit} over all parameters of a request, got more`,
  );
}
