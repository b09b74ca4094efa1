// Print the text while it is generated.
import { PipelineCloud } from '@gptj-cloud/sdk';

const api = new PipelineCloud({
  token: process.env.PIPELINE_API_TOKEN ?? '',
  url: process.env.PIPELINE_API_URL ?? 'http://127.0.0.1:8080',
});
const stream = api.streamPipeline(
  'pipeline_d7502b78863744c495d7d22f321cf7ff',
  ['Once upon a time', { response_length: 16 }],
  { keepRunning: true },
);
for await (const text of stream.texts()) process.stdout.write(text);
process.stdout.write('\n');
