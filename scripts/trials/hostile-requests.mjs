// Requests that are built to cost the server far more than they cost the client. Each stands for a kind; the numbers vary
// so that no cache and no refusal by value helps.
import { writePickle } from '../../packages/pickle/dist/index.js';

const ALTERNATIVES = [...'abcdefghijklmnopqrstuvwxyz0123456789'].join('|');
const LONG_TEXT = 'the quick brown fox jumps over the lazy dog and '.repeat(120);

const json = (path, body, more = {}) => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  ...more,
});
const run = (prompt, parameters) => json('/v2/runs', { pipeline_id: 'gpt-j:latest', data: [prompt, parameters] });
const complete = (body) => json('/v1/completions', body);

/** A run of data that was uploaded before. */
const runStored = (id) => json('/v2/runs', { pipeline_id: 'gpt-j:latest', data_id: id });

/** A form that uploads bytes as data. */
export function upload(bytes) {
  const boundary = `b${crypto.randomUUID()}`;
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="data"; filename="x"\r\n\r\n`;
  return {
    method: 'POST',
    path: '/v2/data',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

const sequences = (count, length, from = 5) =>
  Array.from({ length: count }, (_, at) =>
    Array.from({ length }, (_, index) => (index === length - 1 ? at + 300 : from)),
  );

/**
 * The requests by name. `account` says whether a token is sent; `stored()` gives the bytes to upload first;
 * `make(dataId)` gives `{ method, path, headers, body }`; `phase` names the part of the server that is to be kept busy.
 */
export const HOSTILE_REQUESTS = [
  {
    name: 'path of 15,000 slashes',
    phase: 'edge',
    account: false,
    make: () => ({ method: 'GET', path: `/v2${'/'.repeat(15_000)}x`, headers: {} }),
  },
  {
    name: 'path of 5,000 encoded slashes',
    phase: 'edge',
    account: false,
    make: () => ({ method: 'GET', path: `/v2/runs/${'%2F'.repeat(5000)}x`, headers: {} }),
  },
  {
    name: 'cookie, query and accept of 15 KB',
    phase: 'edge',
    account: false,
    make: () => ({
      method: 'GET',
      path: '/v2/runs',
      headers: {
        cookie: `${' ;='.repeat(1200)}x`,
        accept: `${'a/b, ;'.repeat(600)}x`,
        authorization: `Bearer${' '.repeat(3000)}x`,
      },
    }),
  },
  {
    name: 'password reset with an unknown link',
    phase: 'edge',
    account: false,
    make: () => json('/v2/auth/reset-password', { token: crypto.randomUUID(), password: 'correct horse battery' }),
  },
  {
    name: 'set-up with an unknown link',
    phase: 'edge',
    account: false,
    make: () =>
      json('/v2/auth/set-up', {
        token: crypto.randomUUID(),
        email: 'a@trial.example',
        username: 'setup',
        password: 'correct horse battery',
      }),
  },
  {
    name: 'sign-in of an unknown account',
    phase: 'edge',
    account: false,
    make: () => json('/v2/auth/login', { login: `x${Math.random()}`, password: 'correct horse battery' }),
  },
  {
    name: 'prompt of 1 MB, one word',
    phase: 'parse',
    account: true,
    make: () => run('a'.repeat(1_000_000), { response_length: 1 }),
  },
  {
    name: 'prompt of 1 MB, many words',
    phase: 'parse',
    account: true,
    make: () => run(LONG_TEXT.repeat(170), { response_length: 1 }),
  },
  {
    name: 'pickle of 10 MB, text',
    phase: 'parse',
    account: true,
    stored: () => writePickle(['x'.repeat(5_000_000), { response_length: 1 }]),
    make: runStored,
  },
  {
    name: 'pickle of 990,000 integers',
    phase: 'parse',
    account: true,
    stored: () =>
      writePickle([
        'x',
        { response_length: 1, bad_words_ids: [Array.from({ length: 990_000 }, (_, at) => at % 5000)] },
      ]),
    make: runStored,
  },
  {
    name: 'pickle of 400,000 unknown names',
    phase: 'parse',
    account: true,
    stored: () => writePickle(['x', Object.fromEntries(Array.from({ length: 400_000 }, (_, at) => [`name${at}`, 1]))]),
    make: runStored,
  },
  {
    name: 'JSON of 300,000 unknown names',
    phase: 'parse',
    account: true,
    make: () => run('x', Object.fromEntries(Array.from({ length: 300_000 }, (_, at) => [`max_new_token${at}`, 1]))),
  },
  {
    name: 'logit_bias of 50,000 entries',
    phase: 'parse',
    account: true,
    make: () =>
      complete({
        prompt: 'x',
        max_tokens: 1,
        logit_bias: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [String(at), 1])),
      }),
  },
  {
    name: 'disjunctive constraint of 4,096 × 240 ids, pickle',
    phase: 'parse',
    account: true,
    stored: () =>
      writePickle([
        'x',
        {
          max_new_tokens: 1,
          num_beams: 2,
          constraints: [{ type: 'disjunctive', nested_token_ids: sequences(4096, 240) }],
        },
      ]),
    make: runStored,
  },
  {
    name: 'disjunctive constraint of 4,096 × 47 ids, JSON',
    phase: 'parse',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 1,
        num_beams: 2,
        constraints: [{ type: 'disjunctive', nested_token_ids: sequences(4096, 47) }],
      }),
  },
  {
    name: '1,024 prompts × logit_bias of 4,000',
    phase: 'parse',
    account: true,
    make: () =>
      complete({
        prompt: Array.from({ length: 1024 }, () => [1]),
        max_tokens: 1,
        logit_bias: Object.fromEntries(Array.from({ length: 4000 }, (_, at) => [String(at), 1])),
      }),
  },
  {
    name: '256 prompts × nested repetition of empty groups',
    phase: 'parse',
    account: true,
    make: () =>
      complete({
        prompt: Array.from({ length: 256 }, () => [1]),
        max_tokens: 100,
        prefix_allowed_tokens_fn: { regex: '(?:(?:(?:){0,1000}){0,1000}){0,4}a' },
      }),
  },
  {
    name: 'regex with many classes and empty groups',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 2,
        prefix_allowed_tokens_fn: { regex: `(?:(?:${ALTERNATIVES}|(?:(?:){0,1000}){0,1000}))*` },
      }),
  },
  {
    name: 'regex with many sets of states',
    phase: 'decoder',
    account: true,
    make: () => run('x', { max_new_tokens: 200, prefix_allowed_tokens_fn: { regex: '[a-zA-Z ,.]*a[a-zA-Z ,.]{30}' } }),
  },
  {
    name: '64 beams with a selfhash watermark of context 1,000',
    phase: 'decoder',
    account: true,
    make: () =>
      run(LONG_TEXT.slice(0, 5000), {
        max_new_tokens: 8,
        num_beams: 64,
        watermarking_config: { seeding_scheme: 'selfhash', context_width: 1000, greenlist_ratio: 0.9 },
      }),
  },
  {
    name: 'prompt lookup with n-grams of 100,000',
    phase: 'decoder',
    account: true,
    make: () =>
      run(`${' a'.repeat(1900)} zebra`, {
        max_new_tokens: 20,
        prompt_lookup_num_tokens: 1,
        max_matching_ngram_size: 100_000,
      }),
  },
  {
    name: '64 beams × 200, sequence_bias of 700 × 251 ids',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 200,
        num_beams: 64,
        sequence_bias: sequences(700, 251).map((ids) => [ids, 1]),
      }),
  },
  {
    name: '64 beams × 200, typical_p, top_h and top_p',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 200,
        num_beams: 64,
        do_sample: true,
        top_k: 0,
        typical_p: 0.99,
        top_h: 0.99,
        top_p: 0.99,
      }),
  },
  {
    name: '32 beams × 200, 700 stop sequences of 251 ids',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 200,
        num_beams: 32,
        stopping_criteria: [{ type: 'stop_token_sequences', sequences: sequences(700, 251) }],
      }),
  },
  {
    name: '64 beams × 240',
    phase: 'decoder',
    account: true,
    make: () => run('x', { max_new_tokens: 240, num_beams: 64 }),
  },
  {
    // The largest that leaves the room for short requests in the default cache of 16,384 positions.
    name: '64 beams × 220',
    phase: 'decoder',
    account: true,
    make: () => run('x', { max_new_tokens: 220, num_beams: 64 }),
  },
  {
    name: 'no-repeat n-grams over 1,400 tokens, 32 beams',
    phase: 'decoder',
    account: true,
    make: () =>
      run(' a b'.repeat(700), {
        max_new_tokens: 60,
        num_beams: 32,
        no_repeat_ngram_size: 700,
        encoder_no_repeat_ngram_size: 700,
      }),
  },
  {
    name: '64 stop strings of 1,000 characters, 64 beams',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', {
        max_new_tokens: 200,
        num_beams: 64,
        stop_strings: Array.from({ length: 64 }, (_, at) => `${'ab '.repeat(330)}${at}`),
      }),
  },
  {
    name: 'contrastive search with 64 candidates',
    phase: 'decoder',
    account: true,
    make: () => run(LONG_TEXT.slice(0, 5000), { max_new_tokens: 100, penalty_alpha: 0.6, top_k: 64 }),
  },
  {
    name: 'guidance with a negative prompt of 2,000 ids',
    phase: 'decoder',
    account: true,
    make: () =>
      run('x', { max_new_tokens: 1, guidance_scale: 2, negative_prompt_ids: Array.from({ length: 2000 }, () => 300) }),
  },
  {
    name: 'pattern whose last position is impossible, streamed',
    phase: 'decoder',
    account: true,
    make: () =>
      complete({
        prompt: 'Once upon a time there was a king who',
        max_tokens: 600,
        stream: true,
        prefix_allowed_tokens_fn: { regex: '[a-zA-Z ,.]{900}Q' },
        suppress_tokens: [48],
      }),
  },
  {
    name: 'upload of 5 MB',
    phase: 'store',
    account: true,
    make: () => upload(Buffer.concat([crypto.getRandomValues(Buffer.alloc(65_536)), Buffer.alloc(5_000_000, 'x')])),
  },
  {
    name: 'deep page of runs',
    phase: 'store',
    account: true,
    make: () => ({ method: 'GET', path: '/v2/runs?limit=100&skip=100000', headers: {} }),
  },
  {
    name: 'control characters in an id',
    phase: 'edge',
    account: true,
    make: () => ({ method: 'GET', path: '/v2/runs/run_%00%01', headers: {} }),
  },
];
