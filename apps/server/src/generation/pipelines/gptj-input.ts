import { PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import { PickleTuple, type PickleValue, pythonTypeName } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';

/** The two inputs of the GPT-J graph, in their order. */
export interface GptjInput {
  readonly prompt: string;
  readonly parameters: ReadonlyMap<string, PickleValue>;
}

/** Checks the graph's inputs: a str and a dict. Throws `invalid_input` with the messages of `Graph.run`. */
export function parseGptjInput(input: PickleValue): GptjInput {
  // A value that is not a list counts as one input, as in the original client.
  const inputs = input instanceof PickleTuple ? input.items : Array.isArray(input) ? input : [input];
  if (inputs.length !== 2) {
    throw refuseShape(`Mismatch of number of inputs, expecting 2 got ${inputs.length}`);
  }
  const [prompt, parameters] = inputs;
  if (typeof prompt !== 'string') throw refuseShape(`Input type mismatch, expecting str got ${typeName(prompt)}`);
  if (!(parameters instanceof Map)) {
    throw refuseShape(`Input type mismatch, expecting dict got ${typeName(parameters)}`);
  }
  if (prompt === '') throw refuseInput('Prompt must be a non-empty string.');
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
