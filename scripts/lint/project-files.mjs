// The files to check: those that git tracks, and untracked ones that it does not ignore.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Larger files are data and are skipped. */
const MAX_TEXT_BYTES = 1_000_000;

/** Text files as `{ path, text }`, paths relative to `root` with `/`, sorted. */
export function readProjectFiles(root) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))].sort().flatMap((path) => {
    const file = join(root, path);
    // A file deleted but not yet committed is still listed.
    const stat = path === '' ? undefined : statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile() || stat.size > MAX_TEXT_BYTES) return [];
    const bytes = readFileSync(file);
    return bytes.includes(0) ? [] : [{ path, text: bytes.toString('utf8') }];
  });
}
