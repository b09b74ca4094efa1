import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkGeneratedDocs } from '../lint/generated-docs.mjs';
import { renderPages } from './pages.mjs';

const root = mkdtempSync(join(tmpdir(), 'gptj-docs-'));
after(() => rmSync(root, { recursive: true }));
const page = (content) => `# By hand\n\n<!-- generated: list -->\n${content}<!-- end: list -->\n\nBelow.\n`;
const sections = [{ path: 'page.md', section: 'list', render: async () => '- one\n' }];

test('replaces a section and keeps the text around it', async () => {
  writeFileSync(join(root, 'page.md'), page('old\n'));
  const pages = await renderPages(root, sections, []);
  assert.equal(pages[0].expected, page('\n- one\n\n'));
  const findings = await checkGeneratedDocs(() => renderPages(root, sections, []));
  assert.match(findings[0], /page\.md: a generated section is out of date; run npm run docs/);
});

test('does not report a page that is up to date', async () => {
  writeFileSync(join(root, 'page.md'), page('\n- one\n\n'));
  assert.deepEqual(await checkGeneratedDocs(() => renderPages(root, sections, [])), []);
});

test('refuses a page without the markers', async () => {
  writeFileSync(join(root, 'page.md'), '# By hand\n');
  const findings = await checkGeneratedDocs(() => renderPages(root, sections, []));
  assert.match(findings[0], /page\.md, section list: expected the lines/);
});

test('reports a generated file that is missing or out of date', async () => {
  const files = [{ path: 'types.ts', render: async () => 'export type A = 1;\n' }];
  const check = () => checkGeneratedDocs(() => renderPages(root, [], files));
  assert.match((await check())[0], /types\.ts: .*run npm run docs/);
  writeFileSync(join(root, 'types.ts'), 'export type A = 1;\n');
  assert.deepEqual(await check(), []);
});
