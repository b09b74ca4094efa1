/** Runs the examples of the guides, as a reader would: in a folder outside the project, against a server of its own. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { fillDataDir } from '@gptj-cloud/server/testing';

const TOKEN = 'guides-token-0123456789';
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const GUIDES = join(PROJECT, 'docs/guide');
/** Pages whose examples test/src/clients compiles and runs. */
const TESTED_ELSEWHERE = ['python.md', 'typescript.md'];
/** The address that the guides show. */
const SHOWN_URL = 'http://127.0.0.1:8080';
const execute = promisify(execFile);

interface Example {
  readonly language: string;
  readonly code: string;
}

/** How to run an example of each language. */
const RUNNERS: Readonly<Record<string, { readonly file: string; readonly command: readonly string[] }>> = {
  sh: { file: 'example.sh', command: ['bash', '-euo', 'pipefail'] },
  ts: { file: 'example.mjs', command: [process.execPath] },
  python: { file: 'example.py', command: ['python3'] },
};

const missing: readonly string[] = [
  ...(spawnSync('bash', ['-c', 'command -v curl']).status === 0 ? [] : ['sh']),
  ...(spawnSync('python3', ['--version']).status === 0 ? [] : ['python']),
];

let folder: string;
let server: RunningServer;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-guides-'));
  await fillDataDir(join(folder, 'data'));
  server = await serve(
    { port: 0, dataDir: join(folder, 'data'), apiToken: TOKEN },
    { environment: {}, print: () => {}, log: () => {} },
  );
  await mkdir(join(folder, 'node_modules/@gptj-cloud'), { recursive: true });
  await symlink(join(PROJECT, 'packages/sdk'), join(folder, 'node_modules/@gptj-cloud/sdk'), 'dir');
  await symlink(join(PROJECT, 'node_modules/openai'), join(folder, 'node_modules/openai'), 'dir');
  await mkdir(join(folder, 'bin'));
  const command = join(folder, 'bin/gptj');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(PROJECT, 'apps/cli/bin/gptj.mjs')}" "$@"\n`);
  await chmod(command, 0o755);
});
after(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** The blocks of code that are no mere illustration: their language is not followed by `shown`. */
function examplesOf(markdown: string): readonly Example[] {
  return markdown
    .split(/^```/m)
    .filter((_, at) => at % 2 === 1)
    .map((block) => {
      const end = block.indexOf('\n');
      return { language: block.slice(0, end), code: block.slice(end + 1) };
    })
    .filter(({ language }) => !language.endsWith(' shown'));
}

for (const name of (await readdir(GUIDES)).toSorted().filter((each) => !TESTED_ELSEWHERE.includes(each))) {
  const examples = examplesOf(await readFile(join(GUIDES, name), 'utf8'));
  examples.forEach(({ language, code }, at) => {
    const skip = missing.includes(language) ? `needs ${language === 'sh' ? 'bash and curl' : language}` : false;
    test(`example ${at + 1} of docs/guide/${name} (${language}) runs and prints a text`, { skip }, async () => {
      const runner = RUNNERS[language];
      assert.ok(runner !== undefined, `no runner for ${language}`);
      const file = join(folder, runner.file);
      await writeFile(file, code.replaceAll(SHOWN_URL, server.url));
      const [command = '', ...words] = runner.command;
      const { stdout, stderr } = await execute(command, [...words, file], {
        cwd: folder,
        env: {
          HOME: folder,
          PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`,
          PIPELINE_API_TOKEN: TOKEN,
          PIPELINE_API_URL: server.url,
          PYTHONPATH: join(PROJECT, 'clients/python'),
        },
      });
      assert.notEqual(stdout.trim(), '', stderr);
      // The API reports faults as JSON with status 4xx, which curl prints.
      assert.doesNotMatch(stdout, /^\{"(?:detail|error)"/, stdout);
    });
  });
}
