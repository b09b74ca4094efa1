// Print the text while it is generated.
import { PipelineCloud } from '@gptj-cloud/sdk';

const api = new PipelineCloud();
const parameters = { response_length: 16 };
for await (const text of api.stream('Once upon a time', parameters, { keepRunning: true })) process.stdout.write(text);
process.stdout.write('\n');
