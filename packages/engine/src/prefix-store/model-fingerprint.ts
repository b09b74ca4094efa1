import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const SAMPLES = 64;
const SAMPLE_BYTES = 2 ** 16;

/**
 * A hash of everything that keys and values depend on: the model file and the settings in `about`. The file is represented
 * by its size and 64 samples spread over it: further training changes nearly every weight, and reading all of a 6B file takes
 * seconds.
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
