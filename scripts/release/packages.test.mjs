// The contents of the packages, used in an empty folder without npm and its registry. `npm run release` installs them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { siteFolder } from '../dashboard/built-site.mjs';
import { root } from '../prepare.mjs';
import { getPage } from './get-page.mjs';
import { writeSdkPackage } from './sdk-package.mjs';
import { writeServerPackage } from './server-package.mjs';

const TOKEN = 'token-of-this-test-0123456789';
const skip = existsSync(join(siteFolder(root), 'site.json')) ? false : 'the dashboard is not built';

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'gptj-packages-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

test('the package of the server serves, with nothing beside it but its native parts', { skip }, async (context) => {
  const contents = join(folder, 'server');
  const bill = await writeServerPackage({ root, folder: contents, system: null });
  const manifest = json(join(contents, 'package.json'));
  assert.deepEqual(Object.keys(manifest.dependencies), ['koffi']);
  assert.ok(Object.keys(manifest.optionalDependencies).every((name) => name.startsWith('@node-llama-cpp/')));
  assert.ok(!('@node-llama-cpp/linux-arm64' in manifest.optionalDependencies));
  assert.deepEqual(new Set(importedPackages(join(contents, 'bundle'))), new Set(['koffi']));
  assert.ok(bill.components.some(({ name }) => name === 'hono'));
  assert.match(readFileSync(join(contents, 'THIRD-PARTY-LICENSES.txt'), 'utf8'), /SIL OPEN FONT LICENSE/i);

  for (const name of ['koffi', '@koromix', '@node-llama-cpp']) link(join(contents, 'node_modules', name), name);
  const server = spawn(process.execPath, [join(contents, 'bin', 'gptj.mjs'), 'serve'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: join(folder, 'data'), GPTJ_API_TOKEN: TOKEN },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => server.once('close', resolve));
  context.after(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  const url = await listening(server);
  const reply = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-j-6b', prompt: 'Once upon a time', max_tokens: 4 }),
  });
  assert.equal(reply.status, 200, await reply.clone().text());
  const { text } = await getPage(url);
  assert.match(text, /<script type="module"/);
});

test('the package of the SDK compiles with the options of `tsc --init`, and loads', () => {
  const project = join(folder, 'project');
  const contents = join(project, 'node_modules', '@gptj-cloud', 'sdk');
  writeSdkPackage({ root, folder: contents });
  const shipped = readdirSync(contents, { recursive: true, encoding: 'utf8' });
  assert.ok(shipped.includes('LICENSE') && !shipped.some((name) => /\.test\.|testing|\.map$/.test(name)));
  assert.equal(json(join(contents, 'package.json')).dependencies, undefined);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(project, 'index.ts'),
    `import { PipelineCloud } from '@gptj-cloud/sdk';
const api = new PipelineCloud({ url: 'http://127.0.0.1:1', token: 'a' });
export const text: Promise<string> | undefined = globalThis.never ? api.generate('Once', { max_new_tokens: 8 }) : undefined;
declare global { var never: boolean }
console.log('loaded');
`,
  );
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  assert.equal(call(project, tsc, '--init').status, 0);
  const compiled = call(project, tsc, '-p', '.');
  assert.equal(compiled.status, 0, compiled.stdout);
  assert.equal(call(project, 'index.js').stdout, 'loaded\n');
});

function call(cwd, ...args) {
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
}

function link(path, name) {
  if (!existsSync(join(root, 'node_modules', name))) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), path);
}

/** Packages that the modules of a folder import when they are loaded. */
function importedPackages(bundle) {
  const IMPORT = /(?:^|[;}])import(?:[\w$*{},\s]*from)?\s*["']([^"'.][^"']*)["']/g;
  return readdirSync(bundle)
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => [...readFileSync(join(bundle, name), 'utf8').matchAll(IMPORT)].map(([, from]) => from))
    .filter((from) => !isBuiltin(from));
}

async function listening(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /listens on (http:\/\/\S+):\s/.exec(line)?.[1];
    if (url !== undefined) {
      server.stdout.resume();
      return url;
    }
  }
  throw new Error('expected a line with the address of the server, got none');
}
