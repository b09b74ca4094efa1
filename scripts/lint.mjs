// `npm run lint`: Biome, then the checks of this project beside it in scripts/lint.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderPages } from './docs/pages.mjs';
import { checkFileLength } from './lint/file-length.mjs';
import { checkGeneratedDocs } from './lint/generated-docs.mjs';
import { checkPlainWords, countByRoom, describeOccurrence, findForbiddenWords } from './lint/plain-words.mjs';
import { readProjectFiles } from './lint/project-files.mjs';
import { prepare, root } from './prepare.mjs';

const USAGE = `usage: npm run lint [-- options]

Runs Biome, then every check of scripts/lint. Exit status 1 when any of them finds something.

  --words [PATH ...]   only list forbidden words, in all files or those below the paths
  --update-words       write scripts/lint/word-counts.json anew, after words went away
  -h, --help           show this text`;

const WORD_COUNTS = join(root, 'scripts', 'lint', 'word-counts.json');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    words: { type: 'boolean' },
    'update-words': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE);
else if (values.words) listWords(positionals);
else if (values['update-words']) updateWordCounts();
else await lint();

async function lint() {
  prepare();
  const biome = spawnSync('npx', ['biome', 'check', '.'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (biome.status !== 0) process.exitCode = 1;
  const files = readProjectFiles(root);
  report('file length', checkFileLength(files));
  report('generated docs', await checkGeneratedDocs(() => renderPages(root)));
  report('plain English', checkPlainWords(files, allowedWords()));
}

function report(name, findings) {
  if (findings.length === 0) return;
  process.exitCode = 1;
  console.error(`\n${name}:\n${findings.map((finding) => `  ${finding}`).join('\n')}`);
}

function allowedWords() {
  return JSON.parse(readFileSync(WORD_COUNTS, 'utf8'));
}

function listWords(paths) {
  const files = readProjectFiles(root).filter(
    ({ path }) => paths.length === 0 || paths.some((place) => path === place || path.startsWith(`${place}/`)),
  );
  const occurrences = findForbiddenWords(files);
  for (const occurrence of occurrences) console.log(describeOccurrence(occurrence));
  console.log(countByRoom(occurrences));
}

function updateWordCounts() {
  const counts = countByRoom(findForbiddenWords(readProjectFiles(root)));
  const allowed = allowedWords();
  const grown = Object.keys(counts).filter((room) => counts[room] > (allowed[room] ?? 0));
  if (grown.length > 0) {
    console.error(`more forbidden words than before in ${grown.join(', ')}; see npm run lint`);
    process.exit(1);
  }
  writeFileSync(WORD_COUNTS, `${JSON.stringify(counts, null, 2)}\n`);
}
