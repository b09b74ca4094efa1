/** The options of every command that asks a server. */
import type { OptionGroup } from '../command.ts';
import type { OptionSpec } from '../options.ts';

export const PROFILE_OPTION: OptionSpec = {
  name: 'profile',
  value: 'NAME',
  summary: 'stored profile to use, see gptj profiles',
  default: 'GPTJ_PROFILE, else that of the last gptj login',
};

export const URL_OPTION: OptionSpec = {
  name: 'url',
  value: 'URL',
  summary: 'address of the server',
  default: 'PIPELINE_API_URL, else that of the profile, else http://127.0.0.1:8080',
};

export const TOKEN_OPTION: OptionSpec = {
  name: 'token',
  value: 'TOKEN',
  summary: 'API token; other users of the machine can see options, so prefer gptj login or the variable',
  default: 'PIPELINE_API_TOKEN, else that of the profile',
};

export const JSON_OPTION: OptionSpec = {
  name: 'json',
  value: null,
  summary: 'print JSON with the names of the API: an object, or one line for each item of a list',
};

export const SERVER_GROUP: OptionGroup = { title: 'server', options: [URL_OPTION, TOKEN_OPTION, PROFILE_OPTION] };

export const CODE_OPTION: OptionSpec = {
  name: 'code',
  value: 'CODE',
  summary: 'code of the authenticator app, where the account has two-factor sign-in',
};

/** Options of lists. */
export const LIST_OPTIONS: readonly OptionSpec[] = [
  { name: 'limit', value: 'N', summary: 'maximum number of items', default: '20' },
  { name: 'all', value: null, summary: 'every item, however many there are' },
];
