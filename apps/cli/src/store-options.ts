/** The folders of a command: those of the server on this machine. */
import { resolve } from 'node:path';
import { modelsFolder } from '@gptj-cloud/model-store';
import type { OptionSpec, ParsedOptions } from './options.ts';

export const DATA_DIR_OPTION: OptionSpec = {
  name: 'data-dir',
  value: 'DIR',
  summary: 'data folder of the server, which has the models',
  default: 'DATA_DIR, else ./data',
};

export function dataFolder(options: ParsedOptions | null, env: NodeJS.ProcessEnv): string {
  const given = options?.values.get('data-dir') ?? env.DATA_DIR;
  return resolve(given === undefined || given === '' ? './data' : given);
}

export function storeFolder(options: ParsedOptions | null, env: NodeJS.ProcessEnv): string {
  return modelsFolder(dataFolder(options, env));
}
