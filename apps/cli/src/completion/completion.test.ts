import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { COMMANDS } from '../commands.ts';
import { bashScript } from './bash-script.ts';
import { completedPaths } from './completion-model.ts';
import { fishScript } from './fish-script.ts';
import { zshScript } from './zsh-script.ts';

const PATHS = completedPaths(COMMANDS);
const folder = mkdtempSync(join(tmpdir(), 'gptj-completion-'));
mkdirSync(join(folder, 'gptj', 'profiles'), { recursive: true });
writeFileSync(join(folder, 'gptj', 'profiles', 'work.json'), '{}');
writeFileSync(join(folder, 'a file.txt'), '');
after(() => rmSync(folder, { recursive: true }));

/** Shells that are not installed are skipped. */
function skip(shell: string): string | false {
  return spawnSync(shell, ['-c', 'true']).status === 0 ? false : `needs ${shell}`;
}

/** The lines that a shell prints for a script. */
function lines(shell: string, script: string): readonly string[] {
  const env = { PATH: process.env.PATH, HOME: folder, XDG_CONFIG_HOME: folder, TERM: 'dumb' };
  // Longer than an argument may be.
  const file = join(folder, '.script');
  writeFileSync(file, script);
  const { status, stdout, stderr } = spawnSync(shell, [file], { env, cwd: folder, encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, ''], `${shell}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

function bash(...words: string[]): readonly string[] {
  const array = words.map((word) => `'${word}'`).join(' ');
  const call = `COMP_WORDS=(${array}); COMP_CWORD=${words.length - 1}; _gptj; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return lines('bash', `${bashScript(PATHS)}\n${call}`);
}

/** Functions of the completion system print what they are given: they work inside a terminal alone. */
function zsh(...words: string[]): readonly string[] {
  const stubs = `compdef() { }
_describe() { local name="\${@[-1]}"; print -l -- "\${(@P)name}" }
_files() { print -- files "$@" }
compadd() { [[ "$1" == -a ]] && print -l -- "\${(@P)2}" || { shift; print -l -- "$@" } }`;
  const array = words.map((word) => `'${word}'`).join(' ');
  return lines('zsh', `${stubs}\n${zshScript(PATHS)}\nwords=(${array}); CURRENT=${words.length}; _gptj`);
}

/** `word<Tab>description`. */
function fish(line: string): readonly string[] {
  return lines('fish', `${fishScript(PATHS)}\ncomplete -C '${line}'`);
}

test('bash completes commands, their commands, options and values', { skip: skip('bash') }, () => {
  assert.deepEqual(bash('gptj', 'comp'), ['completion']);
  assert.ok(bash('gptj', '').includes('runs'));
  assert.deepEqual(bash('gptj', 'runs', 'ca'), ['cancel']);
  assert.deepEqual(bash('gptj', 'runs', 'list', '--sta'), ['--state']);
  assert.deepEqual(bash('gptj', 'admin', 'token', 'create', '--type', 'r'), ['runner', 'reader']);
  assert.deepEqual(bash('gptj', 'convert', '--type', 'q8'), ['q8_0']);
  assert.deepEqual(bash('gptj', 'run', '--profile', ''), ['work']);
  assert.deepEqual(bash('gptj', 'run', '--file', 'a'), ['a file.txt']);
  assert.deepEqual(bash('gptj', 'inspect', 'a'), ['a file.txt']);
  assert.deepEqual(bash('gptj', 'completion', 'z'), ['zsh']);
});

test('zsh completes commands, their commands, options and values', { skip: skip('zsh') }, () => {
  assert.ok(zsh('gptj', '').some((line) => line.startsWith('runs:')));
  assert.ok(zsh('gptj', 'runs', '').includes('cancel:cancel waiting or running runs'));
  assert.ok(zsh('gptj', 'runs', 'list', '--').some((line) => line.startsWith('--state:')));
  assert.deepEqual(zsh('gptj', 'admin', 'token', 'create', '--type', ''), ['admin', 'editor', 'runner', 'reader']);
  assert.deepEqual(zsh('gptj', 'run', '--profile', ''), ['work']);
  assert.deepEqual(zsh('gptj', 'run', '--file', ''), ['files']);
  assert.deepEqual(zsh('gptj', 'completion', ''), ['bash', 'zsh', 'fish']);
});

test('fish completes commands, their commands, options and values', { skip: skip('fish') }, () => {
  assert.deepEqual(fish('gptj comp'), ['completion\tprint a script that completes commands in your shell']);
  assert.deepEqual(fish('gptj runs ca'), ['cancel\tcancel waiting or running runs']);
  assert.ok(fish('gptj runs list --sta').some((line) => line.startsWith('--state\t')));
  assert.deepEqual(
    fish('gptj admin token create --type r').map((line) => line.split('\t')[0]),
    ['reader', 'runner'],
  );
  assert.deepEqual(
    fish('gptj run --profile ').map((line) => line.split('\t')[0]),
    ['work'],
  );
  assert.deepEqual(fish('gptj completion z'), ['zsh']);
});

test('every script knows every command and option', () => {
  for (const script of [bashScript(PATHS), zshScript(PATHS), fishScript(PATHS)]) {
    for (const { path, options } of PATHS) {
      assert.ok(script.includes(path), path);
      for (const { flags } of options) {
        for (const flag of flags) assert.ok(script.includes(flag.replace(/^--?/, '')), `${path} ${flag}`);
      }
    }
  }
});
