import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chooseModel } from './default-model.ts';
import { type Ran, runGptj } from './testing/run-gptj.ts';

/** A data folder, and the command on it. */
async function dataFolder(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-pull-command-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const gptj = (args: readonly string[], signal?: AbortSignal): Promise<Ran> =>
    runGptj(args, { env: { DATA_DIR: folder, HF_HOME: folder }, ...(signal === undefined ? {} : { signal }) });
  return { models: join(folder, 'models'), gptj };
}

interface FileServer {
  readonly url: string;
  /** Of all bodies. */
  readonly sentBytes: () => number;
  /** Resolves when a body is halted. */
  readonly halted: Promise<void>;
}

/** A server of one file, with ranges. Once, it stops sending in the middle. */
async function serveFile(
  t: TestContext,
  bytes: Uint8Array,
  halt: { readonly haltAfterBytes: number; readonly onHalt: () => void } | null = null,
): Promise<FileServer> {
  let [sent, isHalted] = [0, halt === null];
  let reportHalt = (): void => {};
  const halted = new Promise<void>((resolve) => {
    reportHalt = resolve;
  });
  const server = createServer((request, response) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [from, to] = [Number(start), Math.min(Number(end) + 1, bytes.byteLength)];
    response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${bytes.byteLength}`, etag: '"1"' });
    if (isHalted || to - from <= 1) {
      sent += to - from;
      response.end(bytes.subarray(from, to));
      return;
    }
    isHalted = true;
    sent += halt!.haltAfterBytes;
    response.write(bytes.subarray(from, from + halt!.haltAfterBytes), () => {
      halt!.onHalt();
      reportHalt();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sentBytes: () => sent, halted };
}

test('a model file is pulled from an address, listed, used by its name and removed', async (t) => {
  const { models, gptj } = await dataFolder(t);
  const { url } = await serveFile(t, await readFile(chooseModel(undefined, {})));
  const pulled = await gptj(['pull', `${url}/files/GPTJ-Nano.gguf`]);
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.match(pulled.stdout, /gptj serve --model gptj-nano serves it\n$/);
  assert.match(pulled.stderr, /^100 % /m);
  assert.match((await gptj(['list'])).stdout, /^gptj-nano +q\S+ .*127\.0\.0\.1/m);
  const listed = JSON.parse((await gptj(['list', '--json'])).stdout);
  assert.deepEqual([listed.name, listed.source.kind, listed.sha256.length], ['gptj-nano', 'url', 64]);
  const generated = await gptj([
    'generate',
    'Once',
    '--model',
    'gptj-nano',
    '--max-new-tokens',
    '2',
    '--engine',
    'reference',
  ]);
  assert.equal(generated.status, 0, generated.stderr);
  const bundle = join(models, '..', 'nano.tar');
  assert.match((await gptj(['export', 'gptj-nano', bundle])).stdout, /^wrote .*nano\.tar: gptj-nano q/);
  assert.match((await gptj(['export', 'gptj-nano', bundle])).stderr, /--overwrite replaces a file/);
  assert.equal((await gptj(['import', bundle, '--name', 'again'])).status, 0);
  assert.match((await gptj(['list'])).stdout, /^again +q/m);
  assert.equal((await gptj(['rm', 'again'])).status, 0);
  const removed = await gptj(['rm', 'gptj-nano']);
  assert.match(removed.stdout, /^deleted gptj-nano\.q/);
  assert.deepEqual(await readdir(models), ['.changes']);
  assert.match((await gptj(['list'])).stdout, /has no models; gptj pull gpt-j-6b downloads one/);
  assert.match(
    (await gptj(['rm', 'gptj-nano'])).stderr,
    /expected the name of a stored model, got "gptj-nano"; it has none/,
  );
});

test('what is not the name of a model, a type or an address is refused with what is', async (t) => {
  const { gptj } = await dataFolder(t);
  assert.match((await gptj(['pull'])).stderr, /expected MODEL, for instance gpt-j-6b/);
  assert.match(
    (await gptj(['pull', 'gpt-3'])).stderr,
    /expected gpt-j-6b, OWNER\/NAME of a hub, an address, or a folder/,
  );
  assert.match((await gptj(['pull', 'ftp://a/b'])).stderr, /expected an address that begins with https:\/\//);
  assert.match((await gptj(['pull', 'gpt-j-6b', '--type', 'q3'])).stderr, /--type: expected one of fit, f32/);
  assert.match((await gptj(['pull', 'a/b', '--name', '../x'])).stderr, /--name: expected letters/);
  assert.match(
    (await gptj(['pull', './nothing-here'])).stderr,
    /expected the folder of a checkpoint, a model file or a bundle, found nothing/,
  );
});

test('a pull that is stopped names the command that goes on, which fetches the rest alone', async (t) => {
  const { gptj } = await dataFolder(t);
  const bytes = await readFile(chooseModel(undefined, {}));
  const stop = new AbortController();
  const server = await serveFile(t, bytes, { haltAfterBytes: bytes.byteLength / 2, onHalt: () => stop.abort() });
  const address = `${server.url}/x.gguf`;
  const stopped = gptj(['pull', address], stop.signal);
  await server.halted;
  const { status, stderr } = await stopped;
  assert.equal(status, 1);
  assert.ok(stderr.includes(`the same command goes on where it stopped: gptj pull ${address}\n`), stderr);
  const before = server.sentBytes();
  const pulled = await gptj(['pull', address]);
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.ok(server.sentBytes() - before < 0.75 * bytes.byteLength);
});

test('a second pull of the same model is refused while the first one runs', async (t) => {
  const { gptj } = await dataFolder(t);
  const stop = new AbortController();
  const server = await serveFile(t, new Uint8Array(100_000), { haltAfterBytes: 1000, onHalt: () => {} });
  const first = gptj(['pull', `${server.url}/x.gguf`], stop.signal);
  await server.halted;
  assert.match(
    (await gptj(['pull', `${server.url}/x.gguf`])).stderr,
    /another process pulls .*wait for it, or stop it/,
  );
  stop.abort();
  assert.equal((await first).status, 1);
});
