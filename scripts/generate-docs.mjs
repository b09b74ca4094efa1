// `npm run docs`: compile, then write the generated sections of pages in docs/. `npm run lint` checks that they are
// current. To add a section, add a record to scripts/docs/pages.mjs and its markers to the page.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderPages } from './docs/pages.mjs';
import { prepare, root } from './prepare.mjs';

await prepare();
for (const { path, current, expected } of await renderPages(root)) {
  if (current === expected) continue;
  writeFileSync(join(root, path), expected);
  console.log(`wrote ${path}`);
}
