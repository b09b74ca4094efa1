/** How much a browser loads before a page is there, by the manifest of the build: brotli for text, fonts as they are. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';

const SITE = new URL('../../../apps/dashboard/site/', import.meta.url);
const MAX_CODE_BYTES = 196_000;
const MAX_FONT_BYTES = 53_000;
/** Not `ui/parts-page.tsx`, which is for the people who build pages. */
const PAGE = /^src\/(?!ui\/)[\w-]+\/[\w-]+-page\.tsx$/;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly css?: readonly string[];
}

const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', SITE), 'utf8')) as Readonly<
  Record<string, Chunk>
>;

/** The files that are loaded before the chunk runs. */
function filesOf(name: string, files = new Set<string>()): ReadonlySet<string> {
  const chunk = manifest[name];
  assert.ok(chunk !== undefined, name);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const imported of chunk.imports ?? []) filesOf(imported, files);
  return files;
}

function sentBytes(file: string): number {
  const small = statSync(new URL(`${file}.br`, SITE), { throwIfNoEntry: false });
  return (small ?? statSync(new URL(file, SITE))).size;
}

test('the first load of every page is below 250 kB', () => {
  const pages = (manifest['index.html']?.dynamicImports ?? []).filter((name) => PAGE.test(name));
  assert.ok(pages.length > 20, `${pages.length} pages`);
  const sizes = pages.map((page) => {
    const files = new Set(['index.html', ...filesOf('index.html'), ...filesOf(page)]);
    return { page, bytes: [...files].reduce((sum, file) => sum + sentBytes(file), 0) };
  });
  assert.deepEqual(
    sizes.filter(({ bytes }) => bytes > MAX_CODE_BYTES),
    [],
  );
});

test('the fonts of a page are below 53 kB', () => {
  const fonts = Object.values(manifest).filter(({ file }) => file.endsWith('.woff2'));
  assert.ok(fonts.length > 0);
  assert.ok(fonts.reduce((sum, { file }) => sum + sentBytes(file), 0) <= MAX_FONT_BYTES);
});
