/** The commands that ask a server, against a server with the embedded model. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { jsonLines, PASSWORD, TOKEN, useCliServer } from './testing/cli-server.ts';

const PROMPT = 'Once upon a time';
const FIXED = ['-n', '8', '--no-do-sample'];

const server = useCliServer();
const { gptj, done } = server;

test('run prints the text of a prompt from an argument, an option, a file and standard input', async () => {
  const text = await done(['run', PROMPT, ...FIXED]);
  assert.match(text, /^\S* ?\S.*\n$/s);
  const file = join(server.folder, 'prompt.txt');
  await writeFile(file, `${PROMPT}\n`);
  assert.equal(await done(['run', '-p', PROMPT, ...FIXED]), text);
  assert.equal(await done(['run', '--file', file, ...FIXED]), text);
  assert.equal(await done(['run', ...FIXED], { stdin: Readable.from([PROMPT]) }), text);
  assert.equal(await done(['run', PROMPT, '--max-tokens', '8', '--num-beams', '1', '--no-do-sample']), text);
});

test('run echoes the prompt on a terminal, and prints its figures on standard error', async () => {
  const { stdout, stderr } = await gptj(['run', PROMPT, ...FIXED], { columns: 80 });
  assert.ok(stdout.startsWith(PROMPT));
  assert.match(stderr, /^8 tokens in .* · prompt 4 tokens · .*ended by length limit · run_\w+\n$/);
});

test('run --json prints the ended run as the API returns it', async () => {
  const [run] = jsonLines(await done(['run', PROMPT, ...FIXED, '--json']));
  assert.equal(run?.run_state, 'complete');
  assert.deepEqual(run.finish_reasons, ['length']);
});

test('run prints every sequence under its number, and the text of beams at the end', async () => {
  const several = await done(['run', PROMPT, '-n', '4', '--num-return-sequences', '2', '--seed', '1']);
  assert.match(several, /^--- 1 of 2\n[\s\S]+\n--- 2 of 2\n[\s\S]+\n$/);
  assert.match(await done(['run', PROMPT, '-n', '4', '--num-beams', '2']), /^ \S[\s\S]*\n$/);
});

test('run names an invalid parameter, and ends with status 1', async () => {
  const { status, stdout, stderr } = await gptj(['run', PROMPT, '--temperature', 'hot']);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^gptj: 400: .*temperature/);
});

test('Ctrl-C during run cancels the run on the server', async () => {
  const stop = new AbortController();
  const running = gptj(['run', 'Ctrl-C ends', '--response-length', '1500'], { signal: stop.signal });
  const api = new PipelineCloud({ url: server.url, token: TOKEN });
  const states = new Map<string, string>();
  for await (const change of api.runs.changes({ signal: AbortSignal.timeout(120_000) })) {
    // Runs that began before the first event are in the list.
    const runs = change.type === 'run' ? [change.run] : (await api.runs.summaries({ q: 'Ctrl-C' })).items;
    for (const run of runs) if (run.promptHead?.startsWith('Ctrl-C')) states.set(run.id, run.runState);
    if ([...states.values()].includes('running')) stop.abort();
    if ([...states.values()].includes('failed')) break;
  }
  const [id = ''] = states.keys();
  assert.notEqual((await running).status, 0);
  assert.equal((await api.getRun(id)).runState, 'failed');
});

test('run --async prints an id, which runs follow, get, list and delete take', async () => {
  const id = (await done(['run', PROMPT, ...FIXED, '--async'])).trim();
  assert.match(id, /^run_\w+$/);
  const text = await done(['runs', 'follow', id]);
  assert.equal(await done(['run', PROMPT, ...FIXED]), text);
  assert.equal(await done(['runs', 'get', id, '--text']), text);
  const shown = await done(['runs', 'get', id]);
  assert.match(shown, new RegExp(`^run +${id}$`, 'm'));
  assert.match(shown, /^max_new_tokens +8$/m);
  assert.ok(shown.includes(`\nprompt\n${PROMPT}\n`));
  assert.ok(jsonLines(await done(['runs', 'list', '--json', '--all'])).some((run) => run.id === id));
  assert.match(await done(['runs', '--limit', '1']), /^run +created +state +tokens +time +prompt\n/);
  assert.equal(await done(['runs', 'cancel', id]), `${id}: complete\n`);
  assert.equal(await done(['runs', 'delete', id]), `${id}: deleted\n`);
  assert.match((await gptj(['runs', 'get', id])).stderr, /^gptj: 404: /);
});

test('a list fits the terminal, and says how many items it leaves out', async () => {
  await done(['run', `${PROMPT} in a land far away, behind the seven mountains`, ...FIXED]);
  const { stdout, stderr } = await gptj(['runs', 'list', '--limit', '1'], { columns: 90 });
  for (const line of stdout.split('\n')) assert.ok(line.length <= 90, line);
  assert.match(stderr, /^1 of \d+; --limit N or --all shows more\n$/);
});

test('login stores a profile from standard input that the other commands use', async (t) => {
  t.after(() => rm(join(server.folder, 'gptj'), { recursive: true, force: true }));
  const clean = { XDG_CONFIG_HOME: server.folder };
  const stdin = Readable.from([`${TOKEN}\n`]);
  const { status, stdout, stderr } = await gptj(['login', server.url, '--token-stdin'], { env: clean, stdin });
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(
    stdout,
    /^logged in to http:\/\/127\.0\.0\.1:\d+ as owner@example\.com: profile 127\.0\.0\.1-\d+, model /,
  );
  assert.match(await done(['whoami'], { env: clean }), /^account +owner <owner@example\.com>, owner$/m);
  assert.match(await done(['profiles'], { env: clean }), /^\* +127\.0\.0\.1-\d+ +http/m);
  assert.ok(!(await done(['profiles'], { env: clean })).includes(TOKEN));
  assert.match(await done(['logout'], { env: clean }), /^deleted profile/);
  assert.match(
    (await gptj(['whoami'], { env: clean })).stderr,
    /no API token for http:\/\/127\.0\.0\.1:8080: gptj login/,
  );
});

test('login refuses a token that the server does not know, and stores nothing', async () => {
  const clean = { XDG_CONFIG_HOME: join(server.folder, 'refused') };
  const { status, stderr } = await gptj(['login', server.url, '--token-stdin'], {
    env: clean,
    stdin: Readable.from(['unknown-token']),
  });
  assert.equal(status, 1);
  assert.match(stderr, /^gptj: 401: /);
  assert.ok(!(await readdir(server.folder)).includes('refused'));
});

test('login --user signs in, creates a token with the scopes, and logout --revoke deletes it', async (t) => {
  t.after(() => rm(join(server.folder, 'gptj'), { recursive: true, force: true }));
  const clean = { XDG_CONFIG_HOME: server.folder, GPTJ_PASSWORD: PASSWORD };
  const args = ['login', server.url, '--user', 'owner', '--profile', 'made', '--scopes', 'run,read'];
  await done(args, { env: clean });
  const stored = { ...JSON.parse(await readFile(join(server.folder, 'gptj', 'profiles', 'made.json'), 'utf8')) };
  assert.ok(!JSON.stringify(stored).includes(PASSWORD));
  const api = new PipelineCloud({ url: server.url, token: TOKEN });
  assert.deepEqual((await api.tokens.get(stored.token_id)).scopes, ['run', 'read']);
  const out = await gptj(['logout', '--revoke'], { env: clean });
  assert.deepEqual([out.status, out.stderr], [0, '']);
  await assert.rejects(api.tokens.get(stored.token_id), { name: 'NotFoundError' });
});

test('login asks for a token at a terminal without showing it', async (t) => {
  t.after(() => rm(join(server.folder, 'gptj'), { recursive: true, force: true }));
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(`${TOKEN}\n`);
  const ran = await gptj(['login', server.url], { env: { XDG_CONFIG_HOME: server.folder }, stdin, columns: 80 });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /^API token \(empty: sign in with a password\): \n$/);
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes(TOKEN));
});

test('sends the token of a profile to the address of that profile alone', async (t) => {
  t.after(() => rm(join(server.folder, 'gptj'), { recursive: true, force: true }));
  const clean = { XDG_CONFIG_HOME: server.folder };
  await done(['login', server.url, '--token-stdin'], { env: clean, stdin: Readable.from([TOKEN]) });
  const other = 'http://127.0.0.1:9';
  for (const [args, extra] of [
    [['--url', other, 'runs'], {}],
    [['runs'], { PIPELINE_API_URL: other }],
  ] as const) {
    const { status, stderr } = await gptj(args, { env: { ...clean, ...extra } });
    assert.equal(status, 2);
    assert.match(stderr, /the stored profile is for http:\/\/127\.0\.0\.1:\d+ alone, and is sent to no other server/);
  }
});

test('the token of the server is read by admin commands alone, with a hint', async () => {
  const own = { XDG_CONFIG_HOME: server.folder, PIPELINE_API_URL: server.url, GPTJ_API_TOKEN: TOKEN };
  assert.equal((await gptj(['runs'], { env: own })).status, 2);
  const { status, stderr } = await gptj(['admin', 'token', 'list'], { env: own });
  assert.equal(status, 0);
  assert.match(stderr, /name it PIPELINE_API_TOKEN/);
});

test('server shows model and load, and without a token the public facts alone', async () => {
  assert.match(await done(['server']), /^engine +ready$/m);
  const open = await done(['server', '--json'], {
    env: { XDG_CONFIG_HOME: server.folder, PIPELINE_API_URL: server.url },
  });
  const [facts] = jsonLines(open);
  assert.deepEqual([facts?.url, facts?.engine], [server.url, null]);
});

test('an unreachable server is an error with the remedy', async () => {
  const { status, stderr } = await gptj(['--url', 'http://127.0.0.1:9', 'runs', 'get', 'run_1', '--token', 't']);
  assert.equal(status, 1);
  assert.match(stderr, /^gptj: no complete reply from http:\/\/127\.0\.0\.1:9: .*\ngptj serve starts a server; /);
});
