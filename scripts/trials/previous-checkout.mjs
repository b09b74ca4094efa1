// The release before, in a folder of its own: previous-release.json names its commit and its last migration. Each release writes it
// anew, by hand.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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
  sharePackages(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent'], { cwd: folder, stdio: 'inherit' });
  // Lists of files come from git.
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
}

/** Link the files of installed packages, which npm replaces and never changes; where that cannot be, copy them. */
function sharePackages(from, to) {
  const { status } = spawnSync('cp', ['-a', '-l', from, to], { stdio: 'ignore' });
  if (status !== 0) {
    // On another file system, or by another cp.
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    return;
  }
  // npm and the installation write these in place.
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.startsWith('.')) continue;
    rmSync(join(to, entry.name));
    cpSync(join(from, entry.name), join(to, entry.name));
  }
}
