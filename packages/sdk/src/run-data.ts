/** What a run takes: the types of its data. */
import type { GenerateParameters } from './generate-parameters.ts';
import type { Run } from './run.ts';

/** A text, or its token ids. */
export type Prompt = string | readonly number[];

/** The inputs of the pipeline of GPT-J. */
export type PipelineData<Parameters = GenerateParameters> = readonly [prompt: Prompt, parameters: Parameters];

/** Parameters whose run returns texts. */
export interface TextParameters extends GenerateParameters {
  readonly return_dict_in_generate?: false | null | undefined;
}

/** Parameters whose run returns a dict of all that they request. */
export interface DictParameters extends GenerateParameters {
  readonly return_dict_in_generate: true;
}

/**
 * Data whose parameters the compiler does not know, such as JSON that a program has read: the server alone checks them.
 * Never for data that are written out, whose names and types are checked.
 */
export type UncheckedData<Data extends readonly unknown[]> = unknown extends Data[number]
  ? Data
  : [Exclude<Data[number], Prompt>] extends [never]
    ? never
    : string extends keyof Exclude<Data[number], Prompt>
      ? Data
      : never;

/** A run, or its id. */
export type RunReference = string | Pick<Run, 'id'>;

/** Throws `TypeError` for anything else, before it becomes a part of an address. */
export function runIdOf(run: RunReference): string {
  const id: unknown = typeof run === 'string' ? run : run?.id;
  if (typeof id === 'string' && id !== '') return id;
  throw new TypeError(`expected a run or its id, got ${JSON.stringify(run)}`);
}
