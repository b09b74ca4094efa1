// `npm run lint`: Biome, then the checks of this project beside it in scripts/lint.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderPages } from './docs/pages.mjs';
import { checkFileLength } from './lint/file-length.mjs';
import { checkGeneratedDocs } from './lint/generated-docs.mjs';
import { checkImportLaw, neededExceptions } from './lint/import-law.mjs';
import { checkPlainWords, countByRoom, describeOccurrence, findForbiddenWords } from './lint/plain-words.mjs';
import { readProjectFiles } from './lint/project-files.mjs';
import { checkUnusedExports, findUnusedExports } from './lint/unused-exports.mjs';
import { compile, root } from './prepare.mjs';

const USAGE = `usage: npm run lint [-- options]

Runs Biome, then every check of scripts/lint. Exit status 1 when any of them finds something.

  --words [PATH ...]   only list forbidden words, in all files or those below the paths
  --update             shorten the lists of exceptions in scripts/lint (*.json) to what is still needed
  -h, --help           show this text`;

const EXPORT_EXCEPTIONS = join(root, 'scripts', 'lint', 'export-exceptions.json');
const IMPORT_EXCEPTIONS = join(root, 'scripts', 'lint', 'import-exceptions.json');
const WORD_COUNTS = join(root, 'scripts', 'lint', 'word-counts.json');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    words: { type: 'boolean' },
    update: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE);
else if (values.words) listWords(positionals);
else if (values.update) shortenLists();
else await lint();

async function lint() {
  compile();
  const biome = spawnSync('npx', ['biome', 'check', '.'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (biome.status !== 0) process.exitCode = 1;
  const files = readProjectFiles(root);
  report('import law of apps/server/src', checkImportLaw(files, readJson(IMPORT_EXCEPTIONS)));
  report('unused exports', checkUnusedExports(files, readJson(EXPORT_EXCEPTIONS)));
  report('file length', checkFileLength(files));
  report('generated docs', await checkGeneratedDocs(() => renderPages(root)));
  report('plain English', checkPlainWords(files, readJson(WORD_COUNTS)));
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
  const occurrences = findForbiddenWords(files);
  for (const occurrence of occurrences) console.log(describeOccurrence(occurrence));
  console.log(countByRoom(occurrences));
}

function shortenLists() {
  const files = readProjectFiles(root);
  const counts = countByRoom(findForbiddenWords(files));
  const allowed = readJson(WORD_COUNTS);
  const rooms = Object.keys(allowed).filter((room) => counts[room] !== undefined);
  writeJson(WORD_COUNTS, Object.fromEntries(rooms.map((room) => [room, Math.min(allowed[room], counts[room])])));
  const unused = new Set(findUnusedExports(files).map(({ path, name }) => `${path}#${name}`));
  writeJson(
    EXPORT_EXCEPTIONS,
    readJson(EXPORT_EXCEPTIONS).filter((exception) => unused.has(exception)),
  );
  writeJson(IMPORT_EXCEPTIONS, neededExceptions(files, readJson(IMPORT_EXCEPTIONS)));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
