import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const SAMPLES = 64;
const SAMPLE_BYTES = 2 ** 16;

/**
 * What keys and values depend on, as a hash: the model file, and whatever else `about` names. Of the file its size and
 * samples all over it count: another training changes nearly every weight, and reading all of them takes seconds.
 */
export async function fingerprintModel(path: string, about: Readonly<Record<string, string>>): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(about).sort()));
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    hash.update(String(size));
    const sample = Buffer.alloc(SAMPLE_BYTES);
    for (let i = 0; i < SAMPLES; i++) {
      const at = Math.floor((Math.max(0, size - SAMPLE_BYTES) * i) / (SAMPLES - 1));
      const { bytesRead } = await file.read(sample, 0, SAMPLE_BYTES, at);
      hash.update(sample.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
