/** Commands that do the same to each of several things, named by their ids. */
import type { PipelineCloud } from '@gptj-cloud/sdk';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION, SERVER_GROUP } from '../client/client-options.ts';
import { openClient } from '../client/open-client.ts';
import type { Argument, Command, Example } from '../command.ts';
import { isOn, type ParsedOptions } from '../options.ts';
import { printable } from '../printable.ts';

export interface IdAction {
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly argument: Argument;
  readonly notes?: readonly string[];
  readonly examples: readonly Example[];
  /** Do it to one. Returns the fields of its JSON besides the id, and the words for people. */
  act(
    api: PipelineCloud,
    id: string,
    call: { readonly signal: AbortSignal; readonly options: ParsedOptions },
  ): Promise<{ readonly fields: object; readonly words: string }>;
}

export function idsCommand({ name, summary, about, argument, notes, examples, act }: IdAction): Command {
  return {
    name,
    summary,
    about,
    ...(notes === undefined ? {} : { notes }),
    arguments: [{ ...argument, repeated: true }],
    groups: [{ title: 'options', options: [JSON_OPTION] }, SERVER_GROUP],
    examples,
    async run(context, options) {
      const { stdout, signal } = context;
      const { api } = await openClient(context, options);
      for (const id of options.positionals) {
        const { fields, words } = await act(api, id, { signal, options });
        if (isOn(options, 'json')) writeJson(stdout, { id, ...fields });
        else stdout.write(`${printable(id)}: ${printable(words)}\n`);
      }
    },
  };
}
