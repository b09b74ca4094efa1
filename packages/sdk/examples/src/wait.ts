// Run GPT-J and wait for the text.
import { PipelineCloud, throwIfFailed } from '@gptj-cloud/sdk';

const api = new PipelineCloud({
  token: process.env.PIPELINE_API_TOKEN ?? '',
  url: process.env.PIPELINE_API_URL ?? 'http://127.0.0.1:8080',
});
const run = await api.runPipeline('pipeline_d7502b78863744c495d7d22f321cf7ff', [
  'Once upon a time',
  { response_length: 16, remove_input: false },
]);
console.log(throwIfFailed(run).resultPreview);
