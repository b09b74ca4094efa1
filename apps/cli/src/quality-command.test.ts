import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readImportance } from '@gptj-cloud/checkpoint';
import { embeddedModel } from './default-model.ts';
import { type Ran, runGptj } from './testing/run-gptj.ts';

const MODEL = embeddedModel() ?? '';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-quality-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function convert(folder: string, type: string, ...more: readonly string[]): Promise<string> {
  const path = join(folder, `${type}${more.length > 0 ? '-imatrix' : ''}.gguf`);
  const { status, stderr } = await runGptj(['convert', MODEL, path, '--type', type, ...more]);
  assert.equal(status, 0, stderr);
  return path;
}

function meanOf(ran: Ran): readonly number[] {
  assert.equal(ran.status, 0, ran.stderr);
  const { models } = JSON.parse(ran.stdout);
  return models.map((model: { divergence: { mean: { value: number } } }) => model.divergence.mean.value);
}

const SHORT = ['--context', '128', '--chunks', '4'];

test('quality compares types of a model: figures with intervals, a table and a plot', async (t) => {
  const folder = await folderOf(t);
  const [q8, q4] = [MODEL, await convert(folder, 'q4_0')];
  const plot = join(folder, 'plot.svg');
  const shown = await runGptj(['quality', q8, q8, q4, ...SHORT, '--plot', plot], { columns: 80 });
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(shown.stdout, /4 chunks of 128 tokens, 252 scored/);
  assert.match(shown.stdout, /same top token +100\.0 % +100\.0 % to 100\.0 %/);
  for (const line of shown.stdout.split('\n')) assert.ok(line.length <= 80, line);
  const svg = await readFile(plot, 'utf8');
  for (const part of [/^<svg /, /KL divergence from gptj-nano-q8_0\.gguf/, /<polyline/, /<\/svg>\n$/])
    assert.match(svg, part);
  assert.doesNotMatch(svg, /NaN|undefined/);

  const refused = await runGptj(['quality', q8, q4, ...SHORT, '--plot', plot]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /already exists; --overwrite/);

  const json = await runGptj(['quality', q8, q4, ...SHORT, '--json']);
  assert.equal(json.status, 0, json.stderr);
  const { models, plot: none, text, reference } = JSON.parse(json.stdout);
  assert.equal(none, null);
  assert.deepEqual([text.chunks, text.scored_tokens], [4, 252]);
  const [model] = models;
  const { mean, median, percentile_99: percentile99, max } = model.divergence;
  assert.ok(median.value < mean.value && mean.value < percentile99.value && percentile99.value <= max.value);
  // q4_0 of a model this small: a KL divergence of some hundredths of a nat.
  assert.ok(mean.value > 0.003 && mean.value < 0.1 && mean.low < mean.value && mean.high > mean.value);
  assert.ok(model.top_agreement.value > 0.8 && model.top_agreement.value < 1);
  assert.ok(
    Math.abs(Math.log(model.perplexity.value / reference.perplexity.value / model.perplexity_ratio.value)) < 1e-9,
  );
});

test('an importance matrix lowers the loss of q4_0, and is refused where it does not fit', async (t) => {
  const folder = await folderOf(t);
  const matrix = join(folder, 'imatrix.gguf');
  const made = await runGptj(['imatrix', MODEL, matrix, '--context', '256', '--chunks', '6']);
  assert.equal(made.status, 0, made.stderr);
  assert.match(made.stdout, /72 matrices, from 6 chunks of 256 tokens/);
  const { entries } = await readImportance(matrix);
  assert.equal(entries.get('blk.0.attn_q.weight')?.rows, 6 * 256);
  // q, k, v and the MLP have the same input.
  assert.deepEqual(entries.get('blk.3.attn_q.weight'), entries.get('blk.3.ffn_up.weight'));
  assert.deepEqual(entries.get('blk.11.attn_k.weight'), entries.get('blk.11.attn_v.weight'));

  const plain = await convert(folder, 'q4_0');
  const weighed = await convert(folder, 'q4_0', '--imatrix', matrix);
  const [without, withMatrix] = meanOf(await runGptj(['quality', MODEL, plain, weighed, ...SHORT, '--json']));
  assert.ok(withMatrix! < without!, `${withMatrix} ${without}`);

  const useless = await runGptj(['convert', MODEL, join(folder, 'x.gguf'), '--type', 'q8_0', '--imatrix', matrix]);
  assert.match(useless.stderr, /q8_0 does not use an importance matrix/);
  const model = await runGptj(['convert', MODEL, join(folder, 'x.gguf'), '--type', 'q4_0', '--imatrix', MODEL]);
  assert.match(model.stderr, /expected an importance matrix .*got phi2/);
});

test('quality refuses a text that is too short, and other vocabularies', async (t) => {
  const folder = await folderOf(t);
  const text = join(folder, 'short.txt');
  await writeFile(text, 'Too short.');
  const short = await runGptj(['quality', MODEL, MODEL, '--text', text, '--json']);
  assert.equal(short.status, 1);
  assert.match(short.stderr, /the text has 3 tokens, expected at least 512, one chunk/);
  const odd = await runGptj(['quality', MODEL, MODEL, '--context', '9', '--json']);
  assert.match(odd.stderr, /expected an even number, got 9/);
});

test('what a user gives wrongly is refused before anything is measured, by its name', async (t) => {
  const folder = await folderOf(t);
  const bytes = join(folder, 'bytes.txt');
  await writeFile(bytes, Uint8Array.of(0xff, 0xfe));
  const absent = join(folder, 'absent', 'file');
  for (const [args, message] of [
    [['quality', MODEL, MODEL, ...SHORT, '--plot', absent], /absent\/file: its folder does not exist; create it first/],
    [['imatrix', MODEL, absent, ...SHORT], /absent\/file: its folder does not exist; create it first/],
    [['quality', 'absent', MODEL, '--json'], /^gptj: absent: expected a file, found none/],
    [['quality', MODEL, MODEL, '--json', '--text', 'absent'], /^gptj: absent: expected a file of text, found none/],
    [['quality', MODEL, MODEL, '--json', '--text', folder], /: expected a file of text, got a folder/],
    [['quality', MODEL, MODEL, '--json', '--text', bytes], /bytes\.txt: expected UTF-8/],
    [['quality', MODEL, MODEL, '--json', '--threads', '1024'], /--threads: expected at most \d+, the processors/],
    [['eval', '--model', 'absent', '--journal', 'none'], /^gptj: absent: expected a file, found none/],
    [['eval', '--text', 'absent', '--journal', 'none'], /absent: expected a file of text, found none/],
    [['eval', '--out', bytes, '--journal', 'none'], /--out: expected a folder, got the file .*bytes\.txt/],
    [['eval', 'diff', folder, folder], /evaluation\.json: expected a file of text, found none/],
  ] as const) {
    const { status, stdout, stderr } = await runGptj(args);
    assert.ok(status !== 0, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /chunk \d|ENOENT|EISDIR/);
  }
});
