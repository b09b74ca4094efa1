/** Whether a command that can do without a server asks one. */
import type { PipelineCloud } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import { isOn, type OptionSpec, type ParsedOptions, UsageError } from '../options.ts';
import { chooseServer, openClient } from './open-client.ts';

export const LOCAL_OPTION: OptionSpec = {
  name: 'local',
  value: null,
  summary: 'use a model file of this machine, not a server',
  default: 'on with --model, or where no server is known',
};

/** Options of a model in this process, which choose it. */
const LOCAL_NAMES = ['model', 'engine', 'threads'];
const SERVER_NAMES = ['url', 'token', 'profile'];

export interface ChosenEngine {
  /** Null: a model of this machine. */
  readonly api: PipelineCloud | null;
  /** Address of the server; empty without one. */
  readonly url: string;
}

/** A server where an option, a variable or a stored profile names one; else this machine. */
export async function chooseEngine(context: CommandContext, options: ParsedOptions): Promise<ChosenEngine> {
  const local = [
    ...(isOn(options, 'local') ? ['local'] : []),
    ...LOCAL_NAMES.filter((name) => options.values.has(name)),
  ];
  const remote = SERVER_NAMES.filter((name) => options.values.has(name));
  if (local[0] !== undefined && remote[0] !== undefined) {
    throw new UsageError(`expected --${local[0]} or --${remote[0]}: a model of this machine, or a server`);
  }
  if (local.length > 0) return { api: null, url: '' };
  if (remote.length > 0 || options.values.get('local') === 'false') return await openClient(context, options);
  return await chooseServer(context, options);
}
