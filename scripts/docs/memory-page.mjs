// The table of disk, memory and speed of GPT-J-6B in docs/operations.md: sizes from the plan of tensors that `gptj convert`
// writes, memory from the plan that a start makes, speed from the memory that one token reads.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a type is chosen for. */
const CHOSEN_FOR = {
  f32: 'exactness',
  f16: 'exactness in half the space',
  bf16: 'the same, with a wider range',
  q8_0: 'next to no loss',
  q6_K: 'little loss',
  q5_K_M: 'a usual choice',
  q4_K_M: 'a usual choice',
  q4_0: 'speed on most CPUs',
};
/** Memory bandwidth of the machine for which the table gives the limit of speed. */
const BANDWIDTH = 50e9;

export async function renderMemory(root) {
  const compiled = (name) => import(pathToFileURL(join(root, name)).href);
  const [{ phi2Tensors, planBytes, RECIPES, tensorType }, { planMemory }, { GPTJ_6B }] = await Promise.all([
    compiled('packages/checkpoint/dist/index.js'),
    compiled('packages/engine/dist/machine/memory-plan.js'),
    compiled('packages/model/dist/index.js'),
  ]);
  const rows = RECIPES.map((recipe) => {
    const plans = tensorPlans(GPTJ_6B, recipe, { phi2Tensors, tensorType });
    const fileBytes = plans.reduce((sum, plan) => sum + planBytes(plan), 0);
    // Of the embedding, a token reads one row.
    const readBytes = fileBytes - planBytes(plans.find(({ name }) => name === 'token_embd.weight'));
    const memory = (contexts) =>
      planMemory({
        config: GPTJ_6B,
        path: '',
        fileBytes,
        cacheCells: contexts * GPTJ_6B.contextLength,
        bytesPerValue: 2,
        machine: { totalBytes: 0, freeBytes: 0, isLimited: false },
        refuses: false,
      }).totalBytes;
    return [
      `\`${recipe}\``,
      gigabytes(fileBytes),
      gigabytes(memory(1)),
      gigabytes(memory(8)),
      (BANDWIDTH / readBytes).toFixed(1),
      CHOSEN_FOR[recipe],
    ];
  });
  return [
    '| type | disk | memory, cache of 2,048 tokens | memory, cache of 16,384 tokens | at most, tokens/s at 50 GB/s | for |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

function tensorPlans(config, recipe, { phi2Tensors, tensorType }) {
  return phi2Tensors(config).map(({ name, shape }) => {
    if (shape.length < 2) return { name, shape, type: 'f32' };
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    const { used } = tensorType(recipe, name, layer === undefined ? null : Number(layer), config.layerCount, shape[1]);
    return { name, shape, type: used };
  });
}

function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
