// Builds the dashboard into apps/dashboard/site, unless it is built from the same sources: Vite, compressed variants, then
// site.json, which the server waits for. `npm start` runs it beside the server, `npm test` beside `tsc -b`.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isSiteBuilt, siteFolder } from '../../scripts/dashboard/built-site.mjs';
import { compressFiles } from '../../scripts/dashboard/compress-files.mjs';
import { sourceHash } from '../../scripts/dashboard/source-hash.mjs';
import { styleHashes } from '../../scripts/dashboard/style-hashes.mjs';

const dashboard = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(dashboard));
const site = siteFolder(root);
if (!isSiteBuilt(root)) await build();

async function build() {
  // Only loaded when there is something to build.
  const vite = await import('vite');
  const source = sourceHash(root);
  // Folders of this build; a rename within one file system puts the new site in place.
  const building = join(dashboard, `.site-${process.pid}`);
  const replaced = join(dashboard, `.site-${process.pid}-old`);
  removeAbandoned();
  mkdirSync(building, { recursive: true });
  try {
    await vite.build({ root: dashboard, logLevel: 'error', build: { outDir: building, emptyOutDir: true } });
    compressFiles(building);
    const description = { source, style_hashes: styleHashes(join(root, 'node_modules', 'react-aria', 'dist')) };
    writeFileSync(join(building, 'site.json'), `${JSON.stringify(description)}\n`);
    if (existsSync(site)) renameSync(site, replaced);
    renameSync(building, site);
  } finally {
    for (const folder of [building, replaced]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Folders of builds that were killed. */
function removeAbandoned() {
  const anHourAgo = Date.now() - 3_600_000;
  for (const name of readdirSync(dashboard)) {
    const path = join(dashboard, name);
    if (name.startsWith('.site-') && statSync(path).mtimeMs < anHourAgo) rmSync(path, { recursive: true, force: true });
  }
}
