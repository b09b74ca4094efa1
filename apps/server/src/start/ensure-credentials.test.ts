import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { printCredentials } from './ensure-credentials.ts';

const withoutShell = process.platform === 'win32' ? 'needs a POSIX shell' : false;

test('the printed command reads the token from a file of any path', { skip: withoutShell }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-it\'s "$HOME" `-'));
  try {
    const path = join(folder, 'first-api-token.txt');
    writeFileSync(path, 'gptj_secret\n');
    const lines: string[] = [];
    printCredentials((line) => lines.push(line), { token: { text: 'gptj_secret', path }, link: null }, 'http://h');
    const command = lines.find((line) => line.startsWith('curl '));
    // A function in place of the program, which prints what the shell makes of the words.
    const script = `curl() { printf '%s\\n' "$@"; }\n${command}`;
    const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.deepEqual(stdout.split('\n').slice(0, 3), ['http://h/v2/runs', '-H', 'Authorization: Bearer gptj_secret']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
