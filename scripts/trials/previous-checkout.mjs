// The release before, in a folder of its own: previous-release.json names its commit and its last migration. Each release writes it
// anew, by hand.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../prepare.mjs';

export const previous = JSON.parse(readFileSync(join(root, 'scripts/previous-release.json'), 'utf8'));

/** Null, or why its files are not in this clone. */
export function describeMissingPrevious() {
  const { status } = spawnSync('git', ['cat-file', '-e', `${previous.commit}^{commit}`], {
    cwd: root,
    stdio: 'ignore',
  });
  if (status === 0) return null;
  return `this clone lacks commit ${previous.commit} of the release before; git fetch --unshallow gets it`;
}

/** Write its files, with its own packages, into a folder. */
export function checkOutPrevious(folder) {
  const archive = execFileSync('git', ['archive', previous.commit], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  // What is the same need not be installed again; `npm install` mends the rest.
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  cpSync(join(root, 'node_modules'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: 'inherit' });
  // Lists of files come from git.
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
}
