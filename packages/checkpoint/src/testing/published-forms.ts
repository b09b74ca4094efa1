/** The published forms in `fixtures/published`, which the Python files beside it wrote without any code of the readers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gptjTensors } from '@gptj-cloud/model';
import type { Checkpoint } from '../checkpoint.ts';
import { fixture } from '../reader.contract.ts';
import { toWeights } from '../weights.ts';

export function published(name: string): string {
  return fixture(`published/${name}`);
}

/** Assert that every tensor decodes to exactly the numbers of the writer. Closes the checkpoint. */
export async function assertNumbers(checkpoint: Checkpoint, hashes: Readonly<Record<string, string>>): Promise<void> {
  const weights = await toWeights(checkpoint);
  try {
    for (const { name } of gptjTensors(weights.config)) {
      const numbers = new Uint8Array((await weights.tensor(name)).buffer);
      assert.equal(createHash('sha256').update(numbers).digest('hex'), hashes[name], name);
    }
  } finally {
    await weights.close();
  }
}
