import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SnippetRun, snippet } from './snippets.ts';

const run: SnippetRun = {
  url: 'http://127.0.0.1:8080',
  token: 'gptj_1',
  pipelineId: 'pipeline_1',
  prompt: 'It\'s "here"\n',
  parameters: { response_length: 8, do_sample: false, stop: null },
};

test('texts with quotes and line breaks are literals of each language', () => {
  assert.match(
    snippet('python', run),
    /\["It's \\"here\\"\\n", \{"response_length": 8, "do_sample": False, "stop": None\}\]/,
  );
  assert.match(
    snippet('typescript', run),
    /"It's \\"here\\"\\n",\n {2}\{ response_length: 8, do_sample: false, stop: null \}/,
  );
  assert.ok(snippet('curl', run).includes(String.raw`"data": ["It'\''s \"here\"\n"`));
});

test('an unknown token is read from the environment', () => {
  const unknown = { ...run, token: null };
  assert.match(snippet('python', unknown), /^import os\n\n.*os\.environ\["PIPELINE_API_TOKEN"\]/s);
  assert.match(snippet('typescript', unknown), /token: process\.env\.PIPELINE_API_TOKEN,/);
  assert.match(snippet('curl', unknown), /"Authorization: Bearer \$PIPELINE_API_TOKEN"/);
});

test('completions get the fields that give the same text there', () => {
  assert.match(
    snippet('openai', run),
    /max_tokens: 8,\n {2}min_new_tokens: 8,\n {2}temperature: 0,\n {2}stop: null,\n/,
  );
  const sampled = snippet('openai', {
    ...run,
    parameters: { response_length: 8, temperature: 0.7, seed: 3, remove_input: false },
  });
  assert.match(
    sampled,
    /max_tokens: 8,\n {2}min_new_tokens: 8,\n {2}temperature: 0\.7,\n {2}top_k: 50,\n {2}echo: true,\n {2}seed: 3,\n/,
  );
  assert.match(snippet('openai', { ...run, parameters: { num_beams: 4 } }), /temperature: 0,\n {2}num_beams: 4,\n/);
});
