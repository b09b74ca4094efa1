// `npm run lint`: Biome, then the checks of this project beside it in scripts/lint.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { renderPages } from './docs/pages.mjs';
import { checkDashboardLaw } from './lint/dashboard-law.mjs';
import { checkFileLength } from './lint/file-length.mjs';
import { checkGeneratedDocs } from './lint/generated-docs.mjs';
import { checkImportLaw } from './lint/import-law.mjs';
import { checkMigrations } from './lint/migrations.mjs';
import { checkPlainWords } from './lint/plain-words.mjs';
import { readProjectFiles } from './lint/project-files.mjs';
import { checkUnusedExports } from './lint/unused-exports.mjs';
import { prepare, root } from './prepare.mjs';

const USAGE = `usage: npm run lint [-- options]

Runs Biome, then every check of scripts/lint. Exit status 1 when any of them finds something.

  --words [PATH ...]   only list forbidden words, in all files or those below the paths
  -h, --help           show this text`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    words: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE);
else if (values.words) listWords(positionals);
else await lint();

async function lint() {
  await prepare();
  const biome = spawnSync('npx', ['biome', 'check', '.'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (biome.status !== 0) process.exitCode = 1;
  const files = readProjectFiles(root);
  report('import law of apps/server/src', checkImportLaw(files));
  report('import law of apps/dashboard/src', checkDashboardLaw(files));
  report('unused exports', checkUnusedExports(files));
  report('file length', checkFileLength(files));
  report('migrations', checkMigrations(files));
  // It imports a package, which a fresh clone has from here on.
  const { checkRegexCost } = await import('./lint/regex-cost.mjs');
  report('regular expressions', checkRegexCost(files));
  report('generated docs', await checkGeneratedDocs(() => renderPages(root)));
  report('plain English', checkPlainWords(files));
}

function report(name, findings) {
  if (findings.length === 0) return;
  process.exitCode = 1;
  console.error(`\n${name}:\n${findings.map((finding) => `  ${finding}`).join('\n')}`);
}

function listWords(paths) {
  const files = readProjectFiles(root).filter(
    ({ path }) => paths.length === 0 || paths.some((place) => path === place || path.startsWith(`${place}/`)),
  );
  for (const finding of checkPlainWords(files)) console.log(finding);
}
