import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type SnippetRun, snippet } from './snippets.ts';

const run: SnippetRun = {
  url: 'http://127.0.0.1:8080',
  token: 'gptj_1',
  pipelineId: 'gpt-j:latest',
  prompt: 'It\'s "here"\n',
  parameters: { response_length: 8, do_sample: false, stop: null },
};

test('texts with quotes and line breaks are literals of each language', () => {
  assert.match(
    snippet('python', run),
    /api\.generate\("It's \\"here\\"\\n", response_length=8, do_sample=False, stop=None\)/,
  );
  assert.match(
    snippet('typescript', run),
    /api\.generate\(\n {2}"It's \\"here\\"\\n",\n {2}\{ response_length: 8, do_sample: false, stop: null \},\n/,
  );
  assert.ok(snippet('curl', run).includes(String.raw`"data": ["It'\''s \"here\"\n"`));
});

test('an unknown token is read from the environment, by the clients themselves where they know the address', () => {
  const unknown = { ...run, token: null };
  assert.match(snippet('python', unknown), /PipelineCloud\(\)/);
  assert.match(snippet('typescript', unknown), /new PipelineCloud\(\)/);
  assert.match(snippet('curl', unknown), /"Authorization: Bearer \$PIPELINE_API_TOKEN"/);
  assert.match(snippet('python', { ...unknown, url: 'https://a.test' }), /PipelineCloud\(url="https:\/\/a\.test"\)/);
  assert.match(snippet('typescript', run), /new PipelineCloud\(\{ token: "gptj_1" \}\)/);
});

test('a program that asks for several texts prints all of them', () => {
  const many = { ...run, parameters: { num_return_sequences: 2, do_sample: true } };
  assert.match(snippet('python', many), /run_pipeline\(\n {4}"gpt-j:latest",\n.*\nprint\(\*run\.texts/s);
  assert.match(snippet('typescript', many), /of textsOf\(run\)\) console\.log\(text\)/);
});

test('another pipeline is named, and long calls are broken', () => {
  const other = { ...run, pipelineId: 'me/story:v1' };
  assert.match(snippet('python', other), /\n {4}pipeline_id="me\/story:v1",\n/);
  assert.match(snippet('typescript', other), /\n {2}\{ pipelineId: "me\/story:v1" \},\n/);
  assert.doesNotMatch(snippet('python', run) + snippet('typescript', run), /gpt-j:latest/);
  const long = { ...run, prompt: 'Once '.repeat(20) };
  assert.match(snippet('python', long), /generate\(\n {4}"Once .*",\n {4}response_length=8,\n/);
});

test('the installation lines name the files of a release', () => {
  const sdk: unknown = JSON.parse(
    readFileSync(new URL('../../../../packages/sdk/package.json', import.meta.url), 'utf8'),
  );
  const name = String((sdk as { readonly name: unknown }).name)
    .replace('@', '')
    .replace('/', '-');
  assert.ok(snippet('typescript', run).includes(`npm install ./${name}-*.tgz`));
  const project = readFileSync(new URL('../../../../clients/python/pyproject.toml', import.meta.url), 'utf8');
  const wheel = /^name = "(.*)"$/m.exec(project)?.[1]?.replaceAll('-', '_');
  assert.ok(snippet('python', run).includes(`pip install ./${wheel}-*.whl`));
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
