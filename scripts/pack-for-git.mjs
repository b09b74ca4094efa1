// npm's `prepare`: `npm install git+https://…` clones the repository into npm's cache, installs everything there, runs this,
// and then copies `files` of package.json. So `packed/` gets the package of a release. In any other clone nothing happens.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKED = join(root, 'packed');

if (isInCacheOfNpm() && !existsSync(PACKED)) await packServer();

function isInCacheOfNpm() {
  const { npm_config_cache: cache } = process.env;
  return cache !== undefined && existsSync(cache) && realpathSync(root).startsWith(realpathSync(cache) + sep);
}

async function packServer() {
  if (!existsSync(join(root, 'node_modules', 'vite'))) {
    console.error(
      'gptj-cloud: npm has not installed what builds it, as with `npm install -g`; install it without -g: `npm install --prefix DIR git+…`, and call DIR/node_modules/.bin/gptj',
    );
    process.exitCode = 1;
    return;
  }
  const { status } = spawnSync(process.execPath, [join(root, 'apps', 'dashboard', 'build.mjs')], { stdio: 'inherit' });
  if (status !== 0) {
    process.exitCode = 1;
    return;
  }
  // It imports packages, which npm has installed.
  const { writeServerPackage } = await import('./release/server-package.mjs');
  const unfinished = `${PACKED}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await writeServerPackage({ root, folder: unfinished, system: null });
  renameSync(unfinished, PACKED);
}
