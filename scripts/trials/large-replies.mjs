// Requests whose replies are large, in the form of `hostile-requests.mjs`. `before`: requests that are sent first.
const json = (path, body) => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const run = (prompt, parameters) => json('/v2/runs', { pipeline_id: 'gpt-j:latest', data: [prompt, parameters] });
const rows = { output_scores: true, scores_format: 'base64', return_dict_in_generate: true };

export const LARGE_REPLIES = [
  {
    name: '80 tokens with all their scores',
    phase: 'reply',
    account: true,
    make: () => run('x', { ...rows, max_new_tokens: 80, suppress_tokens: [50256] }),
  },
  {
    name: '64 sequences of 78 tokens with 100 log-probabilities',
    phase: 'reply',
    account: true,
    make: () =>
      run('x', {
        do_sample: true,
        num_return_sequences: 64,
        max_new_tokens: 78,
        logprobs: 100,
        return_dict_in_generate: true,
        suppress_tokens: [50256],
      }),
  },
  {
    name: '64 completions of 78 tokens with 100 log-probabilities',
    phase: 'reply',
    account: true,
    make: () => json('/v1/completions', { prompt: 'x', n: 64, max_tokens: 78, logprobs: 100 }),
  },
  {
    name: 'echo of 128 prompts of 500 tokens with 10 log-probabilities',
    phase: 'reply',
    account: true,
    make: () =>
      json('/v1/completions', {
        prompt: Array.from({ length: 128 }, () => ' the king'.repeat(250)),
        echo: true,
        max_tokens: 0,
        logprobs: 10,
      }),
  },
  {
    name: 'a page of 40 runs with scores',
    phase: 'reply',
    account: true,
    before: Array.from({ length: 40 }, () => run('x', { ...rows, max_new_tokens: 4 })),
    make: () => ({ method: 'GET', path: '/v2/runs?limit=100' }),
  },
];
