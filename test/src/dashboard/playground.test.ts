/** Writing with the model: what is typed, what is generated, and the way back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import { SKIP_WITHOUT_CHROMIUM } from './chromium.ts';
import { OWNER, useDashboard, type View } from './dashboard.ts';

const skip = SKIP_WITHOUT_CHROMIUM;
const dashboard = useDashboard();

const PROMPT = 'Once upon a time there was a little girl who';
const ENDED = /^(?:ended by length|ended by the model|stopped)$/;

/** The playground with a text and parameters, by a link that contains them. */
async function openText(parameters: object, text = PROMPT, view: View = {}): Promise<Page> {
  const shared = deflateRawSync(JSON.stringify([1, [['t', text]], parameters])).toString('base64url');
  const page = await dashboard().open(`/playground#s=${shared}`, { as: OWNER, ...view });
  await waitForText(page, text);
  return page;
}

async function waitForText(page: Page, text: string): Promise<void> {
  await page.waitForFunction((expected) => document.querySelector('textarea')?.value === expected, text);
}

/** Until the browser has stored a draft with this number of steps that undo takes back. */
async function waitForStored(page: Page, steps: number): Promise<void> {
  const stored = async (): Promise<readonly number[]> =>
    await page.evaluate(async () => {
      const opening = indexedDB.open('gptj-playground');
      await new Promise((resolve) => opening.addEventListener('success', resolve));
      const reading = opening.result.transaction('heads').objectStore('heads').getAll();
      await new Promise((resolve) => reading.addEventListener('success', resolve));
      opening.result.close();
      return reading.result.map((head) => head.past.length);
    });
  while (!(await stored()).includes(steps)) await page.evaluate(() => new Promise(requestAnimationFrame));
}

/** The text that is shown, which the text area follows after a moment. */
async function textOf(page: Page): Promise<string> {
  return (await page.locator('.playground-text').allTextContents()).join('');
}

/** With the minus sign of the page. */
function natText(logprob: number): string {
  return logprob.toFixed(2).replace('-', '−');
}

async function runIdOf(page: Page): Promise<string> {
  const address = await page.getByRole('link', { name: 'Run', exact: true }).getAttribute('href');
  return /run_\w+/.exec(address ?? '')?.[0] ?? assert.fail(`expected the address of a run, got ${address}`);
}

async function ended(page: Page): Promise<void> {
  await page.locator('.playground-note').getByText(ENDED).waitFor();
}

test('stopping keeps every token that came with its chance, and the text, the run and the meter agree on their number', {
  skip,
}, async () => {
  const { day: before } = await dashboard().api.limits.get();
  const page = await openText({ max_new_tokens: 400, seed: 7 });
  await page.keyboard.press('Control+Enter');
  await page.waitForFunction(
    (start) => (document.querySelector('textarea')?.value.length ?? 0) > start + 60,
    PROMPT.length,
  );
  await page.keyboard.press('Escape');
  await ended(page);
  const text = await textOf(page);
  assert.ok(text.startsWith(PROMPT) && text.length > PROMPT.length + 60);
  const run = await dashboard().api.getRun(await runIdOf(page));
  assert.deepEqual([run.runState, run.errorInfo?.exception], ['failed', 'the run was cancelled']);
  const shown = await page
    .locator('.playground-note')
    .getByText(/^\d+ tokens$/)
    .textContent();
  assert.equal(shown, `${run.usage?.generatedTokens} tokens`);
  await page.keyboard.press('Alt+t');
  await page.getByRole('option').nth(10).waitFor();
  assert.equal(await page.getByRole('option').count(), run.usage?.generatedTokens);
  // Also the last ones, which came after the request to stop.
  await page.getByRole('option').last().click();
  await page.getByText(/^−?\d+\.\d\d nat$/).waitFor();
  await page.keyboard.press('Alt+t');
  await waitForText(page, text);
  const { day } = await dashboard().api.limits.get();
  assert.equal(day.used - before.used, run.usage?.computedTokens);
  await page.getByRole('link', { name: 'Run', exact: true }).click();
  await page.getByText('cancelled', { exact: true }).first().waitFor();
  await page.getByText(`${run.usage?.promptTokens} + ${run.usage?.generatedTokens}`, { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Home', exact: true }).click();
  await page
    .getByText(new RegExp(`^${day.used} tokens`))
    .first()
    .waitFor();
});

test('undo returns byte for byte to the start over edits and generations, redo to the end, and a reload keeps both', {
  skip,
}, async () => {
  const page = await openText({ max_new_tokens: 8, seed: 7 });
  const texts = [PROMPT];
  const step = async (act: () => Promise<unknown>): Promise<void> => {
    await act();
    await page.waitForFunction((old) => document.querySelector('textarea')?.value !== old, texts.at(-1));
    await page.getByRole('button', { name: 'Generate' }).waitFor();
    texts.push(await textOf(page));
  };
  await step(() => page.keyboard.press('Control+Enter'));
  await step(async () => {
    await page.getByLabel('Text', { exact: true }).evaluate((field: HTMLTextAreaElement) => {
      field.focus();
      field.setSelectionRange(4, 4);
    });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await page.keyboard.insertText(' 😀');
  });
  await step(() => page.keyboard.press('Control+Enter'));
  await step(() => page.keyboard.press('Alt+Enter'));
  await step(async () => {
    await page.keyboard.press('Control+End');
    await page.keyboard.insertText(' “مرحبا”\n');
  });
  const walk = async (key: string, expected: readonly string[]): Promise<void> => {
    for (const text of expected) {
      await page.keyboard.press(key);
      await waitForText(page, text);
    }
  };
  await walk('Control+z', texts.slice(0, -1).reverse());
  await walk('Control+Shift+Z', texts.slice(1));
  await waitForStored(page, 5);
  await page.reload();
  await waitForText(page, texts.at(-1) ?? '');
  await walk('Control+z', texts.slice(0, -1).reverse());
  await waitForStored(page, 0);
  await page.reload();
  await waitForText(page, PROMPT);
  await walk('Control+Shift+Z', texts.slice(1));
});

test('another token begins a branch with the exact tokens before it, by the keyboard alone', { skip }, async () => {
  const page = await openText({ max_new_tokens: 12, seed: 7 });
  await page.keyboard.press('Control+Enter');
  await ended(page);
  const before = await tokenIds(await runIdOf(page));
  await page.keyboard.press('Alt+t');
  await tabTo(page, page.getByRole('listbox', { name: 'Tokens' }));
  for (let at = 0; at <= 7; at++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  const drawn = before[7];
  const result = await resultOf(await runIdOf(page));
  const [first, second] = result.logprobs[0]?.[7]?.top ?? [];
  // The best alternative that is not the drawn token itself.
  const taken = first?.[0] === drawn ? second : first;
  if (taken === second) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByText('generating').waitFor({ state: 'hidden' });
  await page.waitForFunction((count) => document.querySelectorAll('[role=option]').length > count, 8 + 4);
  await page.getByRole('button', { name: 'Generate' }).waitFor();
  const { prompt } = await dashboard().api.runs.input(await runIdOf(page));
  const { tokens } = await dashboard().api.text.tokenize(PROMPT);
  assert.deepEqual(prompt, [...tokens, ...before.slice(0, 7), taken?.[0]]);
  await page.keyboard.press('Alt+t');
  await page.getByText('2/2').waitFor();
  await tabTo(page, page.getByRole('button', { name: 'Branches' }));
  await page.keyboard.press('Enter');
  const rows = page.getByRole('treegrid', { name: 'Branches' }).getByRole('row');
  await rows.nth(2).waitFor();
  assert.equal(await rows.count(), 3);
});

test('where the text goes on in several ways, they are listed with the chances of the run', { skip }, async () => {
  const page = await openText({ max_new_tokens: 6, seed: 7, top_k: 3, temperature: 0.8 });
  await page.keyboard.press('Control+Enter');
  await ended(page);
  const first = await runIdOf(page);
  const text = await textOf(page);
  await page.keyboard.press('Alt+t');
  await page.getByRole('option').first().click();
  await page.getByText('removed by top_k 3', { exact: true }).waitFor();
  const report = (await resultOf(first)).logprobs[0]?.[0];
  const taken = report?.top.findIndex(([id]) => id !== report.token) ?? -1;
  await page.getByRole('listbox', { name: 'Tokens' }).press(String(taken + 1));
  await page.locator(`a[href*="${first}"]`).waitFor({ state: 'detached' });
  await ended(page);
  await page.keyboard.press('Alt+t');
  await page.getByRole('button', { name: '2/2 continuations: show them' }).click();
  const sheet = page.getByRole('dialog', { name: 'Continuations from here' });
  const rows = sheet.getByRole('region', { name: 'Branches' }).getByRole('button');
  await rows.nth(1).waitFor();
  const shown = await rows
    .locator('.ui-alternative-chance')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title')));
  assert.deepEqual(
    shown,
    [report?.logprob, report?.top[taken]?.[1]].map((each) => `${natText(each ?? 0)} nat`),
  );
  assert.equal(await sheet.getByRole('region', { name: 'Other tokens' }).getByRole('button').count(), 8);
  await rows.first().press('Enter');
  await sheet.waitFor({ state: 'hidden' });
  await waitForText(page, text);
  await page.getByRole('button', { name: '1/2 continuations: show them' }).waitFor();
});

interface Result {
  readonly logprobs: readonly (readonly {
    readonly token: number;
    readonly logprob: number;
    readonly processed?: number | null;
    readonly top: readonly (readonly [number, number, string])[];
  }[])[];
}

async function resultOf(runId: string): Promise<Result> {
  const [result] = (await dashboard().api.getRun(runId)).resultPreview ?? [];
  return result as Result;
}

/** Press Tab until an element has the focus. */
async function tabTo(page: Page, element: Locator): Promise<void> {
  await element.waitFor();
  for (let at = 0; at < 100; at++) {
    if (await element.evaluate((each) => each === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail('expected to come to the element by Tab');
}

async function tokenIds(runId: string): Promise<readonly number[]> {
  return (await resultOf(runId)).logprobs[0]?.map(({ token }) => token) ?? [];
}

test('the shown chances are those of the run', { skip }, async () => {
  const page = await openText({ max_new_tokens: 4, seed: 7 });
  await page.keyboard.press('Control+Enter');
  await ended(page);
  await page.keyboard.press('Alt+t');
  await page.getByRole('option').nth(2).click();
  const report = (await resultOf(await runIdOf(page))).logprobs[0]?.[2];
  assert.ok(report !== undefined);
  await page.getByText(`${natText(report.logprob)} nat`).waitFor();
  const shown = await page.locator('.ui-alternative-chance').first().textContent();
  const best = 100 * Math.exp(report.top[0]?.[1] ?? 0);
  assert.equal(Number.parseFloat(shown ?? ''), Number(best.toFixed(best >= 10 ? 0 : 1)));
});

test('typed text is scored as a prompt when it is asked for, and another token of it begins a branch', {
  skip,
}, async () => {
  const text = 'Once upon a time there was a 😀 girl';
  const page = await openText({ max_new_tokens: 4, seed: 7 }, text);
  await page.keyboard.press('Alt+t');
  await page.getByRole('button', { name: 'Score the typed text' }).click();
  const { tokens } = await dashboard().api.text.tokenize(text);
  await page
    .getByRole('option')
    .nth(tokens.length - 1)
    .waitFor();
  assert.equal(await page.getByRole('option').count(), tokens.length);
  const asked = { max_new_tokens: 0, prompt_logprobs: 10, return_dict_in_generate: true };
  const run = await dashboard().api.runPipeline('gpt-j:latest', [text, asked]);
  const [result] = run.resultPreview ?? [];
  const { prompt_logprobs: reports } = result as { prompt_logprobs: Result['logprobs'][number] };
  await page.getByRole('option').nth(4).click();
  await page.getByText(`${natText(reports[3]?.logprob ?? 0)} nat`).waitFor();
  // The best alternative that is not the token of the text.
  const taken = reports[3]?.top.findIndex(([id]) => id !== tokens[4]) ?? -1;
  await page.getByRole('listbox', { name: 'Tokens' }).press(String(taken + 1));
  await ended(page);
  const { prompt } = await dashboard().api.runs.input(await runIdOf(page));
  assert.deepEqual(prompt, [...tokens.slice(0, 4), reports[3]?.top[taken]?.[0]]);
});

test('a replay has the same token ids, and a stored run opens with its text', { skip }, async () => {
  const page = await openText({ max_new_tokens: 12, deterministic: true, seed: 7 });
  await page.keyboard.press('Control+Enter');
  await ended(page);
  const text = await textOf(page);
  const runId = await runIdOf(page);
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('identical: the same 12 token ids').waitFor();
  const other = await dashboard().open(`/playground?run=${runId}`, { as: OWNER });
  await waitForText(other, text);
  await other.getByText('12 tokens', { exact: true }).waitFor();
  assert.equal(new URL(other.url()).search, '');
});

test('a stored run whose result contains its prompt, without tokens, can be replayed by its text', {
  skip,
}, async () => {
  const parameters = { max_new_tokens: 12, seed: 7, do_sample: true, deterministic: true, include_input: true };
  const run = await dashboard().api.runPipeline('gpt-j:latest', [PROMPT, parameters]);
  const page = await dashboard().open(`/playground?run=${run.id}`, { as: OWNER });
  await waitForText(page, String((run.resultPreview as [[string]])[0][0]));
  await page.getByRole('button', { name: 'Replay' }).click();
  await page.getByText('identical: the same text').waitFor();
});

test('a damaged link is refused with a sentence, and the playground works on', { skip }, async () => {
  const page = await dashboard().open('/playground#s=abc', { as: OWNER });
  await page.getByText('This link is damaged or incomplete.').waitFor();
  await page.getByLabel('Text', { exact: true }).fill('Once');
  await waitForText(page, 'Once');
});

test('two columns with one seed are marked from the first token that differs, and one becomes the draft', {
  skip,
}, async () => {
  const page = await openText({ max_new_tokens: 16, temperature: 0.7, seed: 7 });
  await page.getByRole('link', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: 'Generate both' }).click();
  const adopt = page.getByRole('button', { name: 'Make B the draft' });
  await page.waitForFunction(
    () => document.querySelectorAll('.playground-columns .ui-button[data-disabled]').length === 0,
  );
  const texts = await page.locator('.playground-column-text').allTextContents();
  const [a = '', b = ''] = texts;
  assert.notEqual(a, b);
  const [first] = await page
    .locator('.playground-column')
    .first()
    .getByText(/first difference: token \d+/)
    .allTextContents();
  assert.ok(first !== undefined);
  const common = await page.locator('.playground-column-text').first().locator('span').first().textContent();
  assert.ok(b.startsWith(common ?? ''));
  await adopt.click();
  await waitForText(page, PROMPT + b);
});

test('the text of a column is scored token by token under the parameters of the other one', { skip }, async () => {
  const common = { max_new_tokens: 12, seed: 7, deterministic: true, top_k: 40 };
  const page = await openText({ ...common, temperature: 0.7 });
  await page.getByRole('link', { name: 'Compare', exact: true }).click();
  await page.getByRole('button', { name: 'Generate both' }).click();
  await page.getByRole('button', { name: 'Score B by A' }).click();
  const column = page.getByRole('region', { name: 'Column B' });
  const shown = await column.getByText(/^under A: mean/).textContent();
  const asked = { ...common, return_dict_in_generate: true, logprobs: 0, processed_logprobs: true };
  const results = async (parameters: object): Promise<readonly Result['logprobs'][number][number][]> => {
    const run = await dashboard().api.runPipeline('gpt-j:latest', [PROMPT, { ...asked, ...parameters }]);
    const [result] = run.resultPreview ?? [];
    return (result as Result).logprobs[0] ?? [];
  };
  const ofB = await results({ temperature: 1.1 });
  const byA = await results({ temperature: 0.7, continuation_ids: ofB.map(({ token }) => token) });
  const possible = byA.flatMap(({ processed }) => processed ?? []);
  const mean = possible.reduce((sum, each) => sum + each, 0) / possible.length;
  const shownMean = Number(/mean (\S+) nat/.exec(shown ?? '')?.[1]?.replace('−', '-'));
  assert.ok(Math.abs(shownMean - mean) < 0.0051, `${shown}, ${mean}`);
  const marked = column.locator('[title$=" under A"]');
  const titles = await marked.evaluateAll((tokens) => tokens.map((token) => token.getAttribute('title') ?? ''));
  assert.equal(titles.length, byA.length);
  for (const [at, title] of titles.entries()) {
    const processed = byA[at]?.processed ?? null;
    const percent = Number.parseFloat(title.replace('< ', ''));
    if (processed === null) assert.equal(title, 'not possible under A');
    else assert.ok(Math.abs(percent - 100 * Math.exp(processed)) <= 0.51, `${title}, ${processed}`);
  }
  await column.getByRole('button', { name: 'Hide the score of B' }).click();
  assert.equal(await marked.count(), 0);
});
