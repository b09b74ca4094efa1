/** Commands of a user with two-factor sign-in, against a server whose clock the tests move on: a code is valid once. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { createCookieFetch } from './client/cookie-fetch.ts';
import { runCommandLine } from './command-line.ts';
import { jsonLines, useCliServer } from './testing/cli-server.ts';
import { recordingOutput } from './testing/recording-output.ts';

const PASSWORD = 'Some secret 9 horse';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

let aheadMs = 0;
let secret = '';
let recoveryCodes: readonly string[] = [];
const clock = (): Date => new Date(Date.now() + aheadMs);

const server = useCliServer(async (url) => {
  const api = new PipelineCloud({ session: true, url, fetch: createCookieFetch(url) });
  await api.auth.register({ email: 'ada@example.com', username: 'ada', password: PASSWORD });
  await api.auth.login({ login: 'ada', password: PASSWORD });
  ({ secret } = await api.auth.beginTwoFactor(PASSWORD));
  recoveryCodes = await api.auth.confirmTwoFactor(nextCode());
}, clock);

/** As an authenticator app: RFC 6238 with steps of 30 s, six digits and SHA-1. */
function nextCode(): string {
  aheadMs += STEP_MS;
  const bits = [...secret.replaceAll(' ', '')].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(clock().getTime() / STEP_MS)));
  const key = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** Run a command at a terminal at which `answers` are typed, each when its question is asked. */
async function typed(args: readonly string[], answers: readonly (readonly [question: string, answer: () => string])[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const [stdout, stderr] = [recordingOutput({ columns: 100 }), recordingOutput({ columns: 100 })];
  const waiting = [...answers];
  const write = (text: string): void => {
    stderr.output.write(text);
    const [next] = waiting;
    if (next === undefined || !text.startsWith(next[0])) return;
    waiting.shift();
    stdin.write(`${next[1]()}\n`);
  };
  const status = await runCommandLine(args, {
    stdout: stdout.output,
    stderr: { ...stderr.output, write },
    stdin,
    env: { XDG_CONFIG_HOME: server.folder },
    signal: new AbortController().signal,
    now: () => 0,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text(), unasked: waiting.map(([question]) => question) };
}

const env = () => ({ XDG_CONFIG_HOME: join(server.folder, 'script'), GPTJ_PASSWORD: PASSWORD });
const stdin = () => Readable.from([]);

test('login asks for the code at a terminal, again after a wrong one, and stores a token that works', async () => {
  const ran = await typed(
    ['login', server.url, '--user', 'ada'],
    [
      ['Password: ', () => PASSWORD],
      ['Code of the authenticator app', () => '000000'],
      ['Code of the authenticator app', nextCode],
    ],
  );
  assert.deepEqual([ran.status, ran.unasked], [0, []], ran.stderr);
  assert.match(ran.stdout, /^logged in to http:\/\/\S+ as ada@example\.com: profile /);
  assert.match(ran.stderr, /that code is wrong or was used before/);
  assert.ok(!ran.stderr.includes(PASSWORD));
  const clean = { XDG_CONFIG_HOME: server.folder };
  assert.match(await server.done(['whoami'], { env: clean }), /ada@example\.com/);
  assert.match(await server.done(['run', 'Once', '-n', '1'], { env: clean }), /\S/);
});

test('login in a script takes --code once, and a recovery code; without one it says which option is missing', async () => {
  const login = ['login', server.url, '--user', 'ada@example.com', '--json'];
  const missing = await server.gptj(login, { env: env(), stdin: stdin() });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /code is needed .*\nadd --code CODE/);
  const code = nextCode();
  assert.equal((await server.gptj([...login, '--code', code], { env: env(), stdin: stdin() })).status, 0);
  const again = await server.gptj([...login, '--code', code], { env: env(), stdin: stdin() });
  assert.equal(again.status, 1);
  const [profile] = jsonLines(
    await server.done([...login, '--code', recoveryCodes[0] ?? ''], { env: env(), stdin: stdin() }),
  );
  assert.equal(profile?.user, 'ada@example.com');
  const out = await server.gptj(['logout', '--revoke', '--code', nextCode()], { env: env(), stdin: stdin() });
  assert.deepEqual([out.status, /stays valid/.test(out.stderr)], [0, false], out.stderr);
});

test('tokens create needs the code beside the password', async () => {
  const login = ['login', server.url, '--user', 'ada', '--scopes', 'run,read,write,admin', '--code', nextCode()];
  await server.done(login, { env: env(), stdin: stdin() });
  const refused = await server.gptj(['tokens', 'create', 'ci'], { env: env(), stdin: stdin() });
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /add --code CODE/);
  const made = await server.done(['tokens', 'create', 'ci', '--scopes', 'run', '--code', nextCode(), '--json'], {
    env: env(),
    stdin: stdin(),
  });
  assert.deepEqual(jsonLines(made)[0]?.scopes, ['run']);
});
