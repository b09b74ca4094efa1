/** Story 6: the same prompt and seed twice side by side, and the programs that repeat a text. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const PROMPT = 'Once upon a time there was a little girl who';
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'no python3 here';
const run = promisify(execFile);
const dashboard = useDashboard();

async function openText(parameters: object): Promise<Page> {
  const shared = deflateRawSync(JSON.stringify([1, [['t', PROMPT]], parameters])).toString('base64url');
  const page = await dashboard().open(`/playground#s=${shared}`, { as: OWNER });
  await page.waitForFunction((text) => document.querySelector('textarea')?.value === text, PROMPT);
  return page;
}

/** The parameters and token ids of the newest run with this temperature. */
async function tokensOf(temperature: number): Promise<{ readonly seed: unknown; readonly ids: readonly number[] }> {
  const { api } = dashboard();
  for (const { id } of (await api.runs.summaries({ limit: 2 })).items) {
    const { parameters } = await api.runs.input(id);
    if (parameters.temperature !== temperature) continue;
    const [result] = (await api.getRun(id)).resultPreview ?? [];
    const { logprobs } = result as { readonly logprobs: readonly (readonly { readonly token: number }[])[] };
    return { seed: parameters.seed, ids: logprobs[0]?.map(({ token }) => token) ?? [] };
  }
  return assert.fail(`expected a run with temperature ${temperature}`);
}

test('two temperatures stream together with one seed, and the mark is at the first token id that differs', {
  skip,
}, async () => {
  const page = await openText({ max_new_tokens: 64, min_new_tokens: 64, temperature: 0.7 });
  await page.getByRole('link', { name: 'Compare', exact: true }).click();
  await page.getByText('temperature 1.1').waitFor();
  await page.getByRole('button', { name: 'Generate both' }).click();
  // Both have text, and neither has ended.
  await page.waitForFunction(() => {
    const columns = [...document.querySelectorAll('.playground-column')];
    return (
      columns.length === 2 &&
      columns.every((column) => column.querySelector('.playground-note')?.textContent?.startsWith('generating')) &&
      columns.every((column) => (column.querySelector('.playground-column-text')?.textContent ?? '') !== '')
    );
  });
  await page.getByRole('button', { name: 'Generate both' }).waitFor();
  const [a, b] = [await tokensOf(0.7), await tokensOf(1.1)];
  assert.ok(typeof a.seed === 'number');
  assert.equal(a.seed, b.seed);
  const at = a.ids.findIndex((id, index) => id !== b.ids[index]);
  assert.ok(at >= 0, 'the two texts differ');
  for (const letter of ['A', 'B']) {
    const column = page.getByRole('region', { name: `Column ${letter}` });
    await column.getByText(`first difference: token ${at + 1}`).waitFor();
    const ids = letter === 'A' ? a.ids : b.ids;
    const { text: common } = await dashboard().api.text.detokenize(ids.slice(0, at));
    const { text: rest } = await dashboard().api.text.detokenize(ids.slice(at));
    const marked = await column.locator('.playground-column-text :is(mark, .ui-diff-rest)').allTextContents();
    assert.equal(marked.join(''), rest);
    assert.equal(await column.locator('.playground-column-text').textContent(), common + rest);
  }
});

test('the exported programs for curl, Python and TypeScript print the same text', { skip }, async (context) => {
  const page = await openText({ max_new_tokens: 12, seed: 7 });
  await page.keyboard.press('Control+Enter');
  await page
    .locator('.playground-note')
    .getByText(/^ended by/)
    .waitFor();
  const text = (await page.locator('.playground-text').allTextContents()).join('').slice(PROMPT.length);
  const { value } = await dashboard().api.tokens.create(
    { name: 'code' },
    { confirmation: { password: OWNER.password } },
  );
  const folder = await mkdtemp(join(tmpdir(), 'gptj-exported-'));
  const env = { PATH: process.env.PATH, PYTHONPATH: join(repository, 'clients/python'), PIPELINE_API_TOKEN: value };
  try {
    // Programs of a user have their packages beside them.
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    await page.getByRole('button', { name: 'Code', exact: true }).click();
    const programOf = async (name: string): Promise<string> => {
      await page.getByRole('tab', { name, exact: true }).click();
      const code = page.getByRole('tabpanel', { name }).locator('code');
      await code.getByText(dashboard().url).first().waitFor();
      return (await code.textContent()) ?? '';
    };
    const printed = async (command: string, file: string, name: string): Promise<string> => {
      await writeFile(join(folder, file), await programOf(name));
      return (await run(command, [join(folder, file)], { cwd: folder, env })).stdout;
    };
    const reply = JSON.parse(await printed('bash', 'run.sh', 'curl')) as { readonly result_preview: [[string]] };
    assert.equal(reply.result_preview[0][0], text);
    assert.equal(await printed(process.execPath, 'run.mjs', 'TypeScript'), `${text}\n`);
    if (noPython === false) assert.equal(await printed('python3', 'run.py', 'Python'), `${text}\n`);
    else context.diagnostic(`Python: skipped, ${noPython}`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
