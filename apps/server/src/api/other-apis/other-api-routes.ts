import { ApiError } from '@gptj-cloud/protocol';
import type { TextModel } from '../../generation/text-model.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { type JsonSchema, json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { flag, integer, list, object, text } from '../described-json.ts';
import { tgiErrors } from '../error-dialects.ts';
import { FOREIGN_ADDRESSES, type ForeignAddress } from './foreign-addresses.ts';
import { READ_FOREIGN_TEXT, READ_FOREIGN_TOKENS } from './read-foreign-tokens.ts';

export interface OtherApiRoutesDeps {
  readonly jobs: JobRunner<TextModel>;
  readonly maxJsonBytes: number;
}

const ids = list(integer('A token id.'));
const tokensSchema: JsonSchema = {
  anyOf: [
    list(
      object({ id: integer('Its id.'), text, start: integer('Its first character.'), stop: integer('The one after.') }),
    ),
    object({ count: integer('Of tokens.'), max_model_len: integer('The context.'), tokens: ids, token_strs: {} }),
    object({ tokens: { anyOf: [ids, list(object({ id: integer('Its id.'), piece: {} }))] } }),
  ],
};

/** Tokenising as other servers do it, and the addresses of other APIs that say what to use instead. */
export function otherApiRoutes({ jobs, maxJsonBytes }: OtherApiRoutesDeps): readonly ApiRoute[] {
  const record = { method: 'post', errors: tgiErrors, tag: 'other APIs', access: scope('run') } as const;
  return [
    defineRoute({
      ...record,
      path: '/tokenize',
      summary: 'Get the token ids of a text, as text-generation-inference, vLLM or llama-server',
      description: 'The field of the text decides about the form of the reply. Costs no tokens.',
      body: jsonBytes(
        object({
          inputs: { ...text, description: 'As text-generation-inference: `[{id, text, start, stop}]`.' },
          prompt: { ...text, description: 'As vLLM: `{count, max_model_len, tokens, token_strs}`.' },
          return_token_strs: flag('With prompt: fill token_strs.'),
          content: { ...text, description: 'As llama-server: `{tokens}`.' },
          with_pieces: flag('With content: `[{id, piece}]`.'),
          parse_special: flag('With content: read special tokens in the text as such. Default true.'),
          split_special_tokens: flag('Read special tokens in the text as plain text. Default false.'),
          add_special_tokens: flag('Accepted without effect: GPT-J adds no token to a text.'),
          add_special: flag('The same.'),
          model: { ...text, description: 'Any name of a served model.' },
        }),
        { maxBytes: maxJsonBytes },
      ),
      bodyExample: { prompt: 'Once upon a time' },
      replies: { 200: json(tokensSchema, 'The tokens.') },
      handle: ({ body, principal }) => jobs.run(READ_FOREIGN_TOKENS, { body }, principal.projectId),
    }),
    defineRoute({
      ...record,
      path: '/detokenize',
      summary: 'Get the text of token ids, as vLLM or llama-server',
      body: jsonBytes(object({ tokens: ids, model: text }, ['tokens']), { maxBytes: maxJsonBytes }),
      bodyExample: { tokens: [7454, 2402, 257, 640] },
      replies: { 200: json(object({ prompt: text, content: text }), 'The text, in the field of each of the two.') },
      handle: ({ body, principal }) => jobs.run(READ_FOREIGN_TEXT, { body }, principal.projectId),
    }),
    ...FOREIGN_ADDRESSES.map(notOffered),
  ];
}

/** Like an unknown address, it answers only to a token. */
function notOffered({ method, path, api, errors, reason, instead }: ForeignAddress): ApiRoute {
  return defineRoute({
    method,
    path,
    access: scope(),
    errors,
    tag: 'other APIs',
    summary: `Not offered: ${reason}`,
    description: `An address of ${api}. Instead: ${instead}.`,
    replies: { 404: json(errors.schema, 'Always.') },
    handle(_, c) {
      throw new ApiError('address_not_offered', { path: c.req.path.slice(0, 200), api, reason, instead });
    },
  });
}
