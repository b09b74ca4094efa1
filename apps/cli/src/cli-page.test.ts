/** Runs the blocks of docs/cli.md that begin with `sh`, as a reader of the page would. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TOKEN, useCliServer } from './testing/cli-server.ts';

const PAGE = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const SECTIONS = PAGE.split(/^## /m).map((section) => ({
  title: section.slice(0, section.indexOf('\n')),
  blocks: [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, script = '']) => script),
}));

const server = useCliServer();
test('the page has examples in most sections', () => {
  assert.ok(SECTIONS.filter(({ blocks }) => blocks.length > 0).length >= 5);
});

for (const { title, blocks } of SECTIONS) {
  if (blocks.length === 0) continue;
  test(`the examples of docs/cli.md run: ${title}`, { skip: process.platform === 'win32' }, async () => {
    const programs = join(server.folder, 'bin');
    const gptj = fileURLToPath(new URL('../bin/gptj.mjs', import.meta.url));
    await mkdir(programs, { recursive: true });
    await writeFile(join(programs, 'gptj'), `#!/bin/sh\nexec '${process.execPath}' '${gptj}' "$@"\n`);
    await chmod(join(programs, 'gptj'), 0o755);
    const child = spawn('sh', ['-e', '-c', blocks.join('').replaceAll('http://127.0.0.1:8080', server.url)], {
      cwd: server.folder,
      env: {
        PATH: `${programs}${delimiter}${process.env.PATH}`,
        XDG_CONFIG_HOME: server.folder,
        PIPELINE_API_TOKEN: TOKEN,
        PIPELINE_API_URL: server.url,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    assert.equal(status, 0, stderr);
  });
}
