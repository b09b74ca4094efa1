import { PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import { PickleTuple, type PickleValue, pythonTypeName } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';

/** The two inputs of the GPT-J graph, in their order. */
export interface GptjInput {
  /** A text, or token ids. */
  readonly prompt: string | readonly TokenId[];
  readonly parameters: ReadonlyMap<string, PickleValue>;
}

/** Larger than any vocabulary. */
const MAX_ID = BigInt(2 ** 31 - 1);

/** Checks the graph's inputs: a str, or a list of token ids in its place, and a dict. Throws `invalid_input` with the messages of `Graph.run`. */
export function parseGptjInput(input: PickleValue): GptjInput {
  // A value that is not a list counts as one input, as in the original client.
  const inputs = input instanceof PickleTuple ? input.items : Array.isArray(input) ? input : [input];
  if (inputs.length !== 2) {
    throw refuseShape(`Mismatch of number of inputs, expecting 2 got ${inputs.length}`);
  }
  const [given, parameters] = inputs;
  const prompt = typeof given === 'string' ? given : readIds(given);
  if (!(parameters instanceof Map)) {
    throw refuseShape(`Input type mismatch, expecting dict got ${typeName(parameters)}`);
  }
  if (prompt.length === 0) throw refuseInput('Prompt must be a non-empty string.');
  if (parameters.size > PARAMETER_LIMITS.fields) {
    throw new ApiError(
      'invalid_parameter',
      { reason: `parameters: expected at most ${PARAMETER_LIMITS.fields} fields, got ${parameters.size}` },
      { details: { parameters: ['parameters'], reason: 'limit_exceeded' } },
    );
  }
  const fields = new Map<string, PickleValue>();
  for (const [key, value] of parameters) {
    if (typeof key !== 'string')
      throw refuseShape(`Input type mismatch, expecting keys of type str got ${typeName(key)}`);
    // Python callers write None for a parameter that is absent.
    if (value !== null) fields.set(key, value);
  }
  return { prompt, parameters: fields };
}

/** A prompt of token ids: an addition to the graph, which took a str alone. Whether they exist is for the model to say. */
function readIds(given: PickleValue | undefined): readonly TokenId[] {
  const items = given instanceof PickleTuple ? given.items : given;
  if (!Array.isArray(items)) throw refuseShape(`Input type mismatch, expecting str got ${typeName(given)}`);
  return items.map((id) => {
    if (typeof id === 'bigint' && id >= 0n && id <= MAX_ID) return Number(id);
    throw refuseInput(`Prompt of token ids: expected integers of at least 0, got ${shown(id)}`);
  });
}

function shown(value: PickleValue | undefined): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value).slice(0, 40) : typeName(value);
}

/** The fields of a dict without those that are None; undefined for anything else. */
export function dictFields(value: PickleValue): ReadonlyMap<string, PickleValue> | undefined {
  if (!(value instanceof Map)) return undefined;
  const fields = new Map<string, PickleValue>();
  for (const [key, field] of value) {
    if (typeof key !== 'string') return undefined;
    if (field !== null) fields.set(key, field);
  }
  return fields;
}

export function refuseInput(reason: string): ApiError {
  return new ApiError('invalid_input', { reason });
}

/** The graph's messages name Python types; the remedy shows the JSON form. */
function refuseShape(reason: string): ApiError {
  return new ApiError('invalid_input', { reason }, { remedy: 'send data as [prompt, {parameters}]; {} is enough' });
}

function typeName(value: PickleValue | undefined): string {
  return value === undefined ? 'nothing' : pythonTypeName(value);
}
