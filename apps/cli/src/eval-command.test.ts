import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TOKEN, useCliServer } from './testing/cli-server.ts';

const GPTJ = fileURLToPath(new URL('../bin/gptj.mjs', import.meta.url));
const TASKS = ['eval', '--tasks', 'piqa,lambada_openai,winogrande', '--limit', '4', '--journal', 'none', '--json'];

const server = useCliServer();

/** The scores of a run without the model and the adapter. */
function scoresOf(json: string): unknown {
  const { tasks } = JSON.parse(json);
  return tasks;
}

test('an engine, our API and completions with echo give the same scores to the last bit', async () => {
  const engine = scoresOf(await server.done(TASKS));
  assert.deepEqual(scoresOf(await server.done([...TASKS, '--url', server.url])), engine);
  const completions = ['--completions', `${server.url}/v1/completions`, '--batch-size', '3'];
  const env = { ...server.env, OPENAI_API_KEY: TOKEN };
  assert.deepEqual(scoresOf(await server.done([...TASKS, ...completions], { env })), engine);
});

test('an engine, our API and completions write the same greedy answers', async () => {
  const file = join(server.folder, 'answers.jsonl');
  await writeFile(
    file,
    '{"prompt": "Once upon a time there was a", "target": "king", "until": [",", "."]}\n{"prompt": "The Scarecrow", "target": "x"}\n',
  );
  const answers = async (args: readonly string[], env: NodeJS.ProcessEnv = server.env): Promise<unknown> => {
    const out = join(server.folder, 'answers');
    await server.done(['eval', '--task-file', file, '--journal', 'none', '--out', out, ...args], { env });
    const lines = (await readFile(join(out, 'samples_answers.jsonl.jsonl'), 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line).filtered_resps[0]);
  };
  const engine = await answers([]);
  assert.ok(Array.isArray(engine) && engine.every((text) => text !== '' && !text.includes('\n')), String(engine));
  assert.deepEqual(await answers(['--url', server.url]), engine);
  const completions = ['--completions', `${server.url}/v1/completions`];
  assert.deepEqual(await answers(completions, { ...server.env, OPENAI_API_KEY: TOKEN }), engine);
});

test('the table has the published models and the metric of each column', async () => {
  const shown = await server.done([
    'eval',
    '--tasks',
    'piqa',
    '--limit',
    '4',
    '--journal',
    'none',
    '--form',
    'harness',
  ]);
  assert.match(shown, /model +LAMBADA ppl ↓ +LAMBADA acc ↑ +Winogrande acc ↑ +HellaSwag acc_norm ↑ +PIQA acc_norm ↑/);
  assert.match(shown, /gptj-nano, form harness +\d+\.\d % ± \d+\.\d/);
  assert.match(shown, /GPT-J 6B ‡ +3\.99 +69\.7 % +65\.3 % +66\.1 % +76\.5 %/);
  assert.match(shown, /piqa +harness +0 +acc_norm/);
});

test('a run that is killed with kill -9 goes on, and writes the same bytes', async () => {
  const args = (name: string): readonly string[] => [
    ...['eval', '--tasks', 'hellaswag', '--limit', '60', '--form', 'harness'],
    ...['--journal', join(server.folder, `${name}.jsonl`), '--out', join(server.folder, name)],
  ];
  await server.done(args('whole'));
  // Killed at the first progress line, then at the second one.
  for (const line of [1, 2]) await killAtLine(args('killed'), line);
  await assert.rejects(readdir(join(server.folder, 'killed')), /ENOENT/);
  await server.done(args('killed'));
  const read = (name: string, file: string): Promise<string> => readFile(join(server.folder, name, file), 'utf8');
  for (const file of ['evaluation.json', 'chart.svg', 'samples_hellaswag.jsonl']) {
    assert.equal(await read('killed', file), await read('whole', file), file);
  }
  const results = JSON.parse(await read('whole', 'results.json'));
  assert.equal(
    results.results.hellaswag['acc_norm,none'],
    JSON.parse(await read('whole', 'evaluation.json')).tasks[0].metrics[1].value,
  );

  const diff = await server.done(['eval', 'diff', join(server.folder, 'whole'), join(server.folder, 'killed')]);
  assert.match(diff, /hellaswag, form harness, 60 documents/);
  assert.match(diff, /answers that flipped: 0/);
  assert.match(diff, /KL divergence of the answers: 0.00 ± 0.0 nats, mean of documents/);
});

/** Kills the process when its standard error has that number of lines. */
async function killAtLine(args: readonly string[], line: number): Promise<void> {
  const child = spawn(process.execPath, [GPTJ, ...args], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let text = '';
  for await (const part of child.stderr.setEncoding('utf8')) {
    text += part;
    if (text.split('\n').length > line) break;
  }
  child.kill('SIGKILL');
  await ended;
  assert.match(text, /hellaswag, harness: \d+ of 240/);
}

test('a server that has another model than the scores of the journal is refused', async () => {
  const journal = join(server.folder, 'server.jsonl');
  const args = ['eval', '--tasks', 'piqa', '--limit', '2', '--url', server.url, '--journal', journal];
  await server.done(args);
  await server.done(args);
  const lines = (await readFile(journal, 'utf8')).trim().split('\n');
  const others = lines.map((line) => {
    const { l, ...rest } = JSON.parse(line);
    return JSON.stringify({ ...rest, l: l.map((logprob: number) => logprob - 0.2) });
  });
  // As another model of the same name would have left it.
  await writeFile(journal, `${others.join('\n')}\n`);
  const { status, stdout, stderr } = await server.gptj(args);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /expected the log-probabilities that the journal has of this server, .* another model now/);
});

test('a task of your own and a text have their metrics', async () => {
  const questions = join(server.folder, 'questions.jsonl');
  await writeFile(
    questions,
    '{"context": "The sky is", "choices": ["blue", "a horse"], "gold": 0}\n{"context": "Water is", "choices": ["dry", "wet"], "gold": 1}\n',
  );
  const run = ['eval', '--journal', 'none', '--json'];
  const [own] = JSON.parse(await server.done([...run, '--task-file', questions])).tasks;
  assert.deepEqual([own.task, own.document_count, own.request_count], ['questions.jsonl', 2, 4]);
  const text = join(server.folder, 'story.txt');
  await writeFile(text, 'Once upon a time there was a king. '.repeat(20));
  const [{ metrics }] = JSON.parse(await server.done([...run, '--text', text])).tasks;
  assert.deepEqual(
    metrics.map(({ metric }: { readonly metric: string }) => metric),
    ['word_perplexity', 'byte_perplexity', 'token_perplexity', 'bits_per_byte'],
  );
});

test('a line that is not of the task is refused with its number', async () => {
  const file = join(server.folder, 'broken.jsonl');
  await writeFile(
    file,
    '{"context": "a", "choices": ["b"], "gold": 0}\n{"context": "a", "choices": ["b"], "gold": 3}\n',
  );
  const { status, stderr } = await server.gptj(['eval', '--task-file', file, '--journal', 'none']);
  assert.equal(status, 1);
  assert.match(stderr, /broken\.jsonl line 2: gold: expected an integer from 0 to 0, got 3/);
});

test('options that contradict each other are refused', async () => {
  for (const [args, message] of [
    [['--tasks', 'piqua'], /--tasks: expected all or some of lambada_openai, .*got "piqua"/],
    [['--model', 'x.gguf', '--completions', 'http://127.0.0.1:1/v1'], /expected --model or --completions: one model/],
    [['--shots', '2', '--form', 'published'], /--form: expected harness with/],
    [['--text', 'a', '--tasks', 'piqa'], /expected one of --tasks and --text/],
    [
      ['diff', 'evaluation_0123456789abcdef0123456789abcdef', './scores'],
      /expected two folders or two stored evaluations/,
    ],
  ] as const) {
    const { status, stderr } = await server.gptj(['eval', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
  }
});

test('an address with credentials is refused, so that no report has them', async () => {
  for (const [option, url] of [
    ['--url', 'http://percy:ozymandias@127.0.0.1:1'],
    ['--url', 'http://127.0.0.1:1/?key=ozymandias'],
    ['--completions', 'http://percy:ozymandias@127.0.0.1:1/v1/completions'],
    ['--completions', 'http://127.0.0.1:1/v1/completions?key=ozymandias'],
  ] as const) {
    const { status, stdout, stderr } = await server.gptj(['eval', '--tasks', 'piqa', option, url]);
    assert.deepEqual([status, stdout], [2, ''], url);
    assert.match(stderr, /expected an address without user name, query or fragment/);
    assert.doesNotMatch(stderr, /ozymandias/);
  }
});

test('no score is printed for a server whose log-probabilities fail a self-check, which is named', async () => {
  // Every token has the same log-probability.
  const wrong = createServer((request, response) => {
    void json(request).then((body) => {
      const { prompt, echo } = Object(body);
      const choices = prompt.map((ids: readonly number[], index: number) => {
        const logprobs = Array.from({ length: echo === true ? ids.length + 1 : 1 }, () => -1);
        return {
          index,
          text: '',
          logprobs: { token_logprobs: logprobs, top_logprobs: logprobs.map(() => ({ a: -1 })) },
        };
      });
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ choices }));
    });
  });
  wrong.listen(0, '127.0.0.1');
  await once(wrong, 'listening');
  const { port } = wrong.address() as AddressInfo;
  const out = join(server.folder, 'refused');
  const url = `http://127.0.0.1:${port}/v1/completions`;
  const args = ['eval', '--tasks', 'piqa', '--limit', '2', '--journal', 'none', '--out', out, '--completions', url];
  const { status, stdout, stderr } = await server.gptj(args);
  wrong.closeAllConnections();
  wrong.close();
  await once(wrong, 'close');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /self-check finite failed: expected that .* got 1 different values\. No score is printed/);
  await assert.rejects(readdir(out), /ENOENT/);
});

test('a report is stored once, by the run or from its files, with the texts of its documents', async () => {
  const folder = join(server.folder, 'stored');
  const { env } = server;
  const run = ['eval', '--tasks', 'piqa,winogrande', '--limit', '3', '--form', 'harness', '--journal', 'none'];
  const { status, stderr } = await server.gptj([...run, '--model', 'embedded', '--out', folder, '--store'], { env });
  assert.deepEqual([status, stderr.includes('stored as evaluation_')], [0, true], stderr);
  const uploaded = await server.done(['eval', 'upload', folder, '--name', 'again', '--json'], { env });
  const listed = await server.done(['eval', 'list', '--json'], { env });
  assert.deepEqual(JSON.parse(listed), JSON.parse(uploaded));
  const { id, name, is_complete, tasks } = JSON.parse(listed);
  assert.deepEqual(
    [name, is_complete, tasks.map(({ received }: { received: number }) => received)],
    ['gptj-nano, Q8_0', true, [3, 3]],
  );
  const documents = async (task: number) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const reply = await fetch(`${server.url}/v2/evaluations/${id}/documents?task=${task}`, { headers });
    const { data } = Object(await reply.json());
    return data;
  };
  const [piqa] = await documents(0);
  assert.match(piqa.context, /^Question: .*\nAnswer:$/);
  assert.deepEqual([piqa.choices.length, piqa.log_likelihoods.length, piqa.continuation], [2, 2, null]);
  const [winogrande] = await documents(1);
  assert.deepEqual([winogrande.context, winogrande.choices.length], ['', 2]);
  assert.match(winogrande.continuation, /^ \w/);

  const twice = await server.done(['eval', 'diff', id, id], { env });
  assert.equal(twice, await server.done(['eval', 'diff', folder, folder]));
  assert.match(twice, /piqa, form harness, 3 documents[\s\S]+winogrande, form harness, 3 documents/);
  await server.done(['eval', 'delete', id], { env });
  assert.equal((await server.gptj(['eval', 'list'], { env })).stderr, 'none\n');
});

test('a server with several models is evaluated by a pipeline, which must be one of its own', async () => {
  const run = [...TASKS, '--url', server.url];
  assert.deepEqual(
    scoresOf(await server.done([...run, '--pipeline', 'gpt-j:latest'])),
    scoresOf(await server.done(run)),
  );
  const { status, stderr } = await server.gptj([...run, '--pipeline', 'other:v1']);
  assert.deepEqual([status, /other:v1/.test(stderr)], [1, true], stderr);
  const tuned = await server.gptj([...run, '--lora', 'absent']);
  assert.deepEqual([tuned.status, /absent/.test(tuned.stderr)], [1, true], tuned.stderr);
});
