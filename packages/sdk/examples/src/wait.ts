// Run GPT-J and wait for the text.
import { PipelineCloud } from '@gptj-cloud/sdk';

const api = new PipelineCloud();
console.log(await api.generate('Once upon a time', { response_length: 16, include_input: true }));
