import { detokenizedSchema, detokenizeSchema, tokenizedSchema, tokenizeSchema } from '@gptj-cloud/protocol';
import type { TextModel } from '../../generation/text-model.ts';
import { jsonBytes } from '../../http/json-body.ts';
import { json } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { type ApiRoute, scope } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { READ_DETOKENIZE, READ_TOKENIZE } from './read-tokenize.ts';

export interface TokenizeRoutesDeps {
  readonly jobs: JobRunner<TextModel>;
  readonly maxJsonBytes: number;
}

/** Text to token ids and back, as the model reads prompts. Nothing is metered. */
export function tokenizeRoutes({ jobs, maxJsonBytes }: TokenizeRoutesDeps): readonly ApiRoute[] {
  const record = { method: 'post', errors: pipelineCloudErrors, tag: 'runs', access: scope('run') } as const;
  return [
    defineRoute({
      ...record,
      path: '/v2/tokenize',
      summary: 'Get the token ids of a text',
      description: 'Tokens as the model reads them in a prompt. Costs no tokens.',
      body: jsonBytes(tokenizeSchema, { maxBytes: maxJsonBytes }),
      bodyExample: { text: 'Once upon a time' },
      replies: { 200: json(tokenizedSchema, 'Ids, texts and positions of the tokens.') },
      handle: ({ body, principal }) => jobs.run(READ_TOKENIZE, { body }, principal.projectId),
    }),
    defineRoute({
      ...record,
      path: '/v2/detokenize',
      summary: 'Get the text of token ids',
      body: jsonBytes(detokenizeSchema, { maxBytes: maxJsonBytes }),
      bodyExample: { tokens: [7454, 2402, 257, 640] },
      replies: { 200: json(detokenizedSchema, 'The text, and that of each token.') },
      handle: ({ body, principal }) => jobs.run(READ_DETOKENIZE, { body }, principal.projectId),
    }),
  ];
}
