import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceHash } from './source-hash.mjs';

/** Where the build puts the dashboard. */
export function siteFolder(root) {
  return join(root, 'apps', 'dashboard', 'site');
}

/** Whether the dashboard is built from its sources as they are. */
export function isSiteBuilt(root) {
  try {
    return JSON.parse(readFileSync(join(siteFolder(root), 'site.json'), 'utf8')).source === sourceHash(root);
  } catch {
    return false;
  }
}
