import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { parameterContext, spawnEngine } from '@gptj-cloud/engine';
import { median } from './statistics.ts';

const BEAMS = 4;

/**
 * (e) Beam search compared with transformers on the CPU, with a random model of the same shape in bfloat16. The peer runs in
 * the Python of `TRANSFORMERS_PYTHON`; without that variable only the engine is measured.
 */
export async function benchBeams(model: string, tokens: number, rounds: number): Promise<void> {
  const engine = await spawnEngine({ path: model });
  const { config } = engine.info;
  const seconds: number[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      const prompt = Array.from({ length: 16 }, () => Math.floor(Math.random() * 50257));
      const parameters = { num_beams: BEAMS, min_new_tokens: tokens, max_new_tokens: tokens };
      const parsed = parseGenerateParameters(parameters, parameterContext(engine.info, prompt.length));
      const startedAt = performance.now();
      for await (const _ of engine.generate({ prompt, config: parsed.config }));
      if (round >= 0) seconds.push((performance.now() - startedAt) / 1000);
    }
  } finally {
    await engine.close();
  }
  const ours = tokens / median(seconds);
  const python = process.env.TRANSFORMERS_PYTHON;
  if (python === undefined) {
    console.log(
      `e: ${BEAMS} beams: ${ours.toFixed(2)} tokens/s; set TRANSFORMERS_PYTHON for the comparison (goal: 5 times)`,
    );
    return;
  }
  const script = fileURLToPath(new URL('../peers/transformers_beams.py', import.meta.url));
  const shape = [config.layerCount, config.embeddingSize, config.headCount, config.rotaryDim];
  const peer = spawnSync(python, [script, ...[...shape, BEAMS, tokens, rounds].map(String)], { encoding: 'utf8' });
  if (peer.status !== 0)
    throw new Error(`${script} ended with ${peer.status ?? peer.signal}: ${peer.stderr.slice(-400)}`);
  const theirs = tokens / median((JSON.parse(peer.stdout) as { seconds: number[] }).seconds);
  console.log(
    `e: ${BEAMS} beams: ${ours.toFixed(2)} tokens/s, transformers (bfloat16) ${theirs.toFixed(2)}: ratio ${(ours / theirs).toFixed(1)} (goal: 5)`,
  );
}
