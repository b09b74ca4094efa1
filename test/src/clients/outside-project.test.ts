/**
 * The SDK in a project outside this repository: the packed package, a configuration of `tsc --init`, and the programs of the
 * documentation as they are printed, compiled by two versions of TypeScript and run against a server.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const TOKEN = 'outside-project-0123456789';
const PAGES = ['README.md', 'packages/sdk/README.md', 'docs/guide/quick-start.md', 'docs/guide/typescript.md'];

let project: string;
let server: RunningServer;
/** Names of the programs in the project, without their extension. */
let programs: readonly string[];

before(async () => {
  project = await mkdtemp(join(tmpdir(), 'gptj-outside-'));
  const parts = { environment: {}, print: () => {}, log: () => {} };
  const dataDir = join(project, 'data');
  await fillDataDir(dataDir);
  server = await serve({ port: 0, dataDir, apiToken: TOKEN }, parts);
  await writeFile(join(project, 'package.json'), '{ "name": "outside", "private": true, "type": "module" }');
  await installPacked(join(repository, 'packages/sdk'), join(project, 'node_modules/@gptj-cloud/sdk'));
  await mkdir(join(project, 'src'));
  await cp(join(repository, 'test/fixtures/sdk-types.ts'), join(project, 'src/sdk-types.ts'));
  programs = await writePrograms();
});
after(async () => {
  await server?.close();
  await rm(project, { recursive: true, force: true });
});

/** What `npm pack` puts into the package, where `npm install` would put it. */
async function installPacked(from: string, to: string): Promise<void> {
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: from });
  const file = stdout.trim().split('\n').at(-1) ?? '';
  await mkdir(to, { recursive: true });
  await run('tar', ['-xzf', join(project, file), '--strip-components=1', '-C', to]);
}

/** The programs of the pages, each in a file of its own. */
async function writePrograms(): Promise<readonly string[]> {
  const names: string[] = [];
  for (const page of PAGES) {
    const text = await readFile(join(repository, page), 'utf8');
    for (const [, code = ''] of text.matchAll(/^```ts\n([\s\S]*?)^```/gm)) {
      const name = `${page.replace(/\W+/g, '-')}-${names.length + 1}`;
      await writeFile(join(project, 'src', `${name}.ts`), code);
      names.push(name);
    }
  }
  return names;
}

/** Compilers by the folder from which their package is found: this workspace has an older one of its own. */
const COMPILERS = { 'TypeScript 5': 'test', 'TypeScript 7': '.' } as const;

async function compilerOf(major: keyof typeof COMPILERS): Promise<string> {
  const from = createRequire(join(repository, COMPILERS[major], 'package.json'));
  const file = from.resolve('typescript/package.json');
  const { version }: { readonly version: string } = JSON.parse(await readFile(file, 'utf8'));
  assert.ok(major.endsWith(` ${version.split('.')[0]}`), `expected ${major}, found ${version}`);
  return join(dirname(file), 'bin/tsc');
}

async function tsc(compiler: string, options: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(process.execPath, [compiler, ...options], { cwd: project, timeout: 120_000 });
    return stdout;
  } catch (error) {
    assert.ok(typeof error === 'object' && error !== null && 'stdout' in error);
    return String(error.stdout);
  }
}

const STRICTER = ['--exactOptionalPropertyTypes', '--noPropertyAccessFromIndexSignature', '--noUncheckedIndexedAccess'];
const CONFIGURATIONS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ['as tsc --init writes them', []],
  ['with nodenext and stricter checks', ['--module', 'nodenext', '--skipLibCheck', 'false', ...STRICTER]],
  ['with a bundler', ['--module', 'esnext', '--moduleResolution', 'bundler', ...STRICTER]],
];

for (const compiler of ['TypeScript 5', 'TypeScript 7'] as const) {
  test(`the types and the documented programs compile with ${compiler}`, async () => {
    const tool = await compilerOf(compiler);
    const out = `out-${compiler.at(-1)}`;
    await rm(join(project, 'tsconfig.json'), { force: true });
    await tsc(tool, ['--init']);
    for (const [name, options] of CONFIGURATIONS) {
      const printed = await tsc(tool, ['-p', '.', '--rootDir', 'src', '--outDir', out, ...options]);
      assert.equal(printed, '', name);
    }
    assert.ok((await readdir(join(project, out))).includes('sdk-types.js'));
  });
}

test('the compiled programs run, with the token and the address of the environment', async () => {
  assert.ok(programs.length >= 8);
  for (const name of programs) {
    const { stdout, stderr } = await run(process.execPath, [join(project, 'out-7', `${name}.js`)], {
      cwd: project,
      env: { PIPELINE_API_TOKEN: TOKEN, PIPELINE_API_URL: server.url },
      timeout: 120_000,
    });
    assert.equal(stderr, '', name);
    const source = await readFile(join(project, 'src', `${name}.ts`), 'utf8');
    // A program that only exports a function has nothing to print.
    assert.equal(stdout !== '', !/^export /m.test(source), `${name}: ${stdout}`);
  }
});
