import { READ_MESH_REQUEST } from './api/mesh/read-mesh-request.ts';
import { READ_COMPLETION } from './api/openai/read-completion.ts';
import { READ_FOREIGN_TEXT, READ_FOREIGN_TOKENS } from './api/other-apis/read-foreign-tokens.ts';
import { READ_EVALUATION, READ_EVALUATION_PIECE, TEST_PERPLEXITIES } from './api/pipeline-cloud/read-evaluation.ts';
import { READ_RUN_BODY } from './api/pipeline-cloud/read-run-body.ts';
import { READ_DETOKENIZE, READ_TOKENIZE } from './api/pipeline-cloud/read-tokenize.ts';
import { READ_TEXT_GENERATION } from './api/tgi/read-text-generation.ts';
import { DESCRIBE_GPTJ_INPUT, READ_GPTJ_RUN } from './generation/pipelines/gptj-pipeline.ts';
import type { TextModel } from './generation/text-model.ts';
import type { AnyJob } from './workers/job.ts';

/** Every job that worker threads execute: one that is missing here fails where it is too large for the server's thread. */
export const READ_JOBS: readonly AnyJob<TextModel>[] = [
  READ_RUN_BODY,
  READ_GPTJ_RUN,
  DESCRIBE_GPTJ_INPUT,
  READ_COMPLETION,
  READ_TEXT_GENERATION,
  READ_MESH_REQUEST,
  READ_TOKENIZE,
  READ_DETOKENIZE,
  READ_FOREIGN_TOKENS,
  READ_FOREIGN_TEXT,
  READ_EVALUATION,
  READ_EVALUATION_PIECE,
  TEST_PERPLEXITIES,
];
