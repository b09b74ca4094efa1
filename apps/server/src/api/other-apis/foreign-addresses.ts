/**
 * Addresses of other APIs that this server does not have. Programs written for those APIs ask there first: the reply says,
 * in the form that they read, why the server has no such address and which one to use instead.
 */
import type { ErrorDialect } from '../../http/error-dialect.ts';
import type { Method } from '../../http/openapi/operation.ts';
import {
  anthropicErrors,
  koboldErrors,
  llamaServerErrors,
  meshErrors,
  openAiErrors,
  tgiErrors,
} from '../error-dialects.ts';

export interface ForeignAddress {
  readonly method: Method;
  readonly path: string;
  readonly api: string;
  readonly errors: ErrorDialect;
  /** Why the server has no such address. */
  readonly reason: string;
  /** What to do instead. */
  readonly instead: string;
}

const NO_CHAT = 'GPT-J continues text and was not trained to chat';
const USE_COMPLETIONS = 'send the conversation as one text in "prompt" to POST /v1/completions';
const NO_EMBEDDINGS = 'GPT-J gives next tokens and their log-probabilities, no embeddings of texts';
const SCORE_INSTEAD =
  'use an embedding model; to compare texts by likelihood, send them to POST /v1/completions with "echo", "logprobs" and "max_tokens": 0';
const TEXT_ONLY = 'GPT-J reads and writes text alone';
const SEND_TEXT = 'send text in "prompt" to POST /v1/completions';
const ONE_MODEL = 'the operator chooses the model when the server starts';
const LIST_MODELS = 'GET /v1/models names the model that is served';
const OWN_RUNS = 'runs are kept under another address';
const USE_RUNS = 'start them with "async_run": true at POST /v2/runs';

type Entry = readonly [method: Method, path: string, reason: string, instead: string];

const of = (api: string, errors: ErrorDialect, entries: readonly Entry[]): readonly ForeignAddress[] =>
  entries.map(([method, path, reason, instead]) => ({ method, path, api, errors, reason, instead }));

export const FOREIGN_ADDRESSES: readonly ForeignAddress[] = [
  ...of("OpenAI's API", openAiErrors, [
    ['post', '/v1/chat/completions', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/responses', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/assistants', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/threads', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/threads/runs', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/conversations', NO_CHAT, USE_COMPLETIONS],
    [
      'post',
      '/v1/edits',
      'GPT-J follows no instructions',
      'write the beginning of the edited text in "prompt" and send it to POST /v1/completions',
    ],
    ['post', '/v1/embeddings', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/v1/engines/:name{.+}/embeddings', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/v1/engines/:name{.+}/search', 'this search is not offered', SCORE_INSTEAD],
    [
      'post',
      '/v1/moderations',
      'GPT-J does not classify texts',
      'compare the likelihoods of labels after the text, with "logprobs" of POST /v1/completions',
    ],
    ['post', '/v1/images/generations', TEXT_ONLY, SEND_TEXT],
    ['post', '/v1/images/edits', TEXT_ONLY, SEND_TEXT],
    ['post', '/v1/audio/speech', TEXT_ONLY, SEND_TEXT],
    ['post', '/v1/audio/transcriptions', TEXT_ONLY, SEND_TEXT],
    ['post', '/v1/audio/translations', TEXT_ONLY, SEND_TEXT],
    ['post', '/v1/files', 'files are kept under another address', 'upload the input of runs to POST /v2/files'],
    ['post', '/v1/batches', OWN_RUNS, USE_RUNS],
    [
      'post',
      '/v1/fine_tuning/jobs',
      'this server does not train',
      'train elsewhere, convert the result with gptj convert, and serve it',
    ],
    [
      'post',
      '/v1/fine-tunes',
      'this server does not train',
      'train elsewhere, convert the result with gptj convert, and serve it',
    ],
    // With a base URL that lacks /v1.
    ['post', '/chat/completions', NO_CHAT, USE_COMPLETIONS],
    [
      'post',
      '/completions',
      'its address begins with /v1',
      'use POST /v1/completions: the base URL of the client ends with /v1',
    ],
    ['post', '/embeddings', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/responses', NO_CHAT, USE_COMPLETIONS],
    // As huggingface.js derives them from a model URL.
    [
      'post',
      '/models/:name{.+}/v1/chat/completions',
      NO_CHAT,
      'call textGeneration of the client, or send one text in "prompt" to POST /v1/completions',
    ],
    ['post', '/v1/rerank', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/v1/score', NO_EMBEDDINGS, SCORE_INSTEAD],
  ]),
  ...of("Anthropic's API", anthropicErrors, [
    ['post', '/v1/messages', NO_CHAT, USE_COMPLETIONS],
    ['post', '/v1/messages/count_tokens', NO_CHAT, 'count the tokens of a text with POST /tokenize'],
    [
      'post',
      '/v1/complete',
      "GPT-J answers as OpenAI's completions do",
      'send "prompt" and "max_tokens" to POST /v1/completions',
    ],
  ]),
  ...of("Ollama's API", meshErrors, [
    [
      'post',
      '/api/generate',
      'its form of requests is not offered',
      'send "prompt" and "max_tokens" to POST /v1/completions',
    ],
    ['post', '/api/chat', NO_CHAT, USE_COMPLETIONS],
    ['post', '/api/embed', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/api/embeddings', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['get', '/api/tags', 'its list of models is not offered', LIST_MODELS],
    ['get', '/api/ps', 'its list of models is not offered', LIST_MODELS],
    ['post', '/api/show', 'its description of models is not offered', LIST_MODELS],
    ['get', '/api/version', 'this is no Ollama', 'GET /v2/server has the version of this server'],
    ['post', '/api/pull', ONE_MODEL, LIST_MODELS],
    ['post', '/api/create', ONE_MODEL, LIST_MODELS],
    ['delete', '/api/delete', ONE_MODEL, LIST_MODELS],
  ]),
  ...of("llama-server's API", llamaServerErrors, [
    [
      'post',
      '/completion',
      'its form of requests is not offered',
      'send "prompt" to POST /v1/completions, with "max_tokens" for n_predict',
    ],
    [
      'post',
      '/infill',
      'GPT-J cannot fill in the middle of a text',
      'send the text before the gap in "prompt" to POST /v1/completions',
    ],
    ['post', '/embedding', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/apply-template', NO_CHAT, USE_COMPLETIONS],
    ['get', '/props', 'its description of the server is not offered', 'use GET /info and GET /v2/engine'],
    [
      'get',
      '/slots',
      'its description of slots is not offered',
      'GET /v2/engine has the active and waiting generations',
    ],
  ]),
  ...of("KoboldAI's API", koboldErrors, [
    [
      'post',
      '/api/v1/generate',
      'its form of requests is not offered',
      'send "prompt" to POST /v1/completions, with "max_tokens" for max_length',
    ],
    [
      'post',
      '/api/extra/generate/stream',
      'its form of requests is not offered',
      'send "prompt" and "stream": true to POST /v1/completions',
    ],
    ['get', '/api/v1/model', 'its description of the model is not offered', LIST_MODELS],
  ]),
  ...of("Hugging Face's services", tgiErrors, [
    ['post', '/pipeline/:task/:name{.+}', 'its address has changed', 'send the same body to POST /models/{model}'],
    ['post', '/invocations', 'SageMaker is not offered', 'send the same body to POST /generate'],
    ['post', '/chat_tokenize', NO_CHAT, 'send "inputs" to POST /tokenize'],
    ['post', '/embed', NO_EMBEDDINGS, SCORE_INSTEAD],
    ['post', '/rerank', NO_EMBEDDINGS, SCORE_INSTEAD],
  ]),
];
