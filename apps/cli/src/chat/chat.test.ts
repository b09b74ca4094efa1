/** `gptj chat` with the embedded model in its own process, and on a server. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { useCliServer } from '../testing/cli-server.ts';
import type { Ran } from '../testing/run-gptj.ts';

const server = useCliServer();
const FIXED = ['--max-new-tokens', '6', '--no-do-sample'];

async function chat(args: readonly string[], lines: readonly string[]): Promise<Ran> {
  const stdin = Readable.from(lines.map((line) => `${line}\n`));
  return await server.gptj(['chat', ...args], { stdin });
}

for (const [place, args] of [
  ['on a server', []],
  ['in its own process', ['--local', '--engine', 'reference']],
] as const) {
  test(`continues what is typed ${place}, and takes it back with /undo`, async () => {
    const { status, stdout, stderr } = await chat([...args, ...FIXED], ['Once upon a time', '', '/undo', '/show']);
    assert.equal(status, 0, stderr);
    const [first, second, , shown] = stdout.split('\n');
    assert.ok(first !== undefined && first.length > 3 && second !== undefined);
    assert.equal(shown, `Once upon a time${first}`);
  });
}

test('/retry replaces the last continuation, and says that a fixed text stays the same', async () => {
  const { stdout, stderr } = await chat(FIXED, ['Once', '/retry', '/show']);
  const [first, second, shown] = stdout.split('\n');
  assert.equal(second, first);
  assert.equal(shown, `Once${first}`);
  assert.match(stderr, /\/set do_sample true/);
});

test('/set and /unset change parameters, and errors leave the chat open', async () => {
  const { status, stderr } = await chat(
    [],
    ['/set temprature 1', '/set top-k 5', '/set', '/unset top_k', '/unset top_k', '/nope'],
  );
  assert.equal(status, 0);
  assert.match(stderr, /temprature.*did you mean temperature/);
  assert.match(stderr, /^top_k 5$/m);
  assert.match(stderr, /top_k is not set/);
  assert.match(stderr, /unknown command \/nope/);
});

test('/save writes a file that the next chat goes on with, and does not overwrite another one', async () => {
  const path = join(server.folder, 'story.json');
  await chat(FIXED, ['Once', `/save ${path}`]);
  const saved = await readFile(path, 'utf8');
  assert.match((await chat(FIXED, ['Other', `/save ${path}`])).stderr, /already exists/);
  assert.equal(await readFile(path, 'utf8'), saved);
  const { stdout } = await chat([path], ['/show', '', '/save']);
  assert.match(stdout, /^Once/);
  assert.notEqual(await readFile(path, 'utf8'), saved);
});

test('takes several lines between quotes, and a line that begins with a slash', async () => {
  const { stdout } = await chat(FIXED, ['"""one', 'two"""', '//three', '/show']);
  assert.match(stdout, /\none\ntwo[\s\S]*\/three/);
});

test('leaves out the beginning of a text that is longer than the context', async () => {
  const { stderr } = await chat(FIXED, [`${'word '.repeat(2100)}end`, '/tokens']);
  assert.match(stderr, /the first \d+ tokens of the text are left out: the context has 2048/);
  assert.match(stderr, /21\d\d tokens of 2048/);
});

test('shows no key while the model writes at a terminal, and ends with Ctrl-D', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.write('Once upon a time\r');
  const running = server.gptj(['chat', ...FIXED], { stdin, columns: 80 });
  stdin.write('\u0004');
  const { status, stdout, stderr } = await running;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /on http:\/\/127\.0\.0\.1:\d+ · type a beginning, \/help for more/);
  assert.match(stdout, /> .*Once upon a time\r\n, /);
});
