// The kernels on every type of weights, compared with the reference engine on the same file: it decodes the weights to
// float32, so what differs is the rounding of activations to eight bits and of keys and values to float16.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { convertCheckpoint, RECIPES } from '@gptj-cloud/checkpoint';
import { openQuantiser } from '../llama/llama-quantiser.ts';
import { openModel } from '../open-model.ts';

const NANO = fileURLToPath(new URL('../../../../models/gptj-nano/gptj-nano-q8_0.gguf', import.meta.url));
/** "Once upon a time," */
const TEXT = [7454, 2402, 257, 640, 11];

const folder = await mkdtemp(join(tmpdir(), 'gptj-types-'));
after(() => rm(folder, { recursive: true }));

async function logProbabilities(path: string, kind: 'kernels' | 'reference'): Promise<readonly Float64Array[]> {
  const opened = await openModel({ path, kind, threads: 2, cacheCells: 64, contextLength: 64 });
  try {
    const sequence = opened.model.open();
    const [result] = await opened.model.evaluate([{ sequence, tokens: TEXT, scored: 'all' }]);
    return result!.logits.map((row) => {
      const max = row.reduce((a, b) => Math.max(a, b));
      const sum = row.reduce((total, logit) => total + Math.exp(logit - max), 0);
      return Float64Array.from(row, (logit) => logit - max - Math.log(sum));
    });
  } finally {
    await opened.close();
  }
}

/** Mean over positions of Σ p (log p − log q). */
function divergence(p: readonly Float64Array[], q: readonly Float64Array[]): number {
  const each = p.map((row, i) => row.reduce((sum, logP, id) => sum + Math.exp(logP) * (logP - q[i]![id]!), 0));
  return each.reduce((a, b) => a + b) / each.length;
}

/** Measured: 1e-4 with eight-bit activations, 2e-7 with float32 ones. */
const MAX_DIVERGENCE = { quantised: 4e-4, float: 1e-6 };

for (const type of RECIPES) {
  test(`compute ${type} weights as the reference does, up to the rounding of activations`, async () => {
    const path = join(folder, `${type}.gguf`);
    await convertCheckpoint({ source: NANO, target: path, type, quantiser: openQuantiser() });
    const [expected, actual] = [await logProbabilities(path, 'reference'), await logProbabilities(path, 'kernels')];
    const isFloat = type === 'f32' || type === 'f16' || type === 'bf16';
    const got = divergence(expected, actual);
    assert.ok(got >= -1e-12 && got < MAX_DIVERGENCE[isFloat ? 'float' : 'quantised'], `divergence ${got}`);
  });
}
