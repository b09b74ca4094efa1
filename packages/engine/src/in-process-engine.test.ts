import { after } from 'node:test';
import { describeEngine } from './engine.contract.ts';
import { createEngine } from './in-process-engine.ts';
import { openModel } from './open-model.ts';
import { makeTinyAdapters } from './tiny-adapters.fixture.ts';
import { makeTinyModel } from './tiny-model.fixture.ts';

const file = await makeTinyModel(128);
const { files: adapters, remove } = await makeTinyAdapters(file.path);
after(() => Promise.all([file.remove(), remove()]));

describeEngine(
  'an engine with a draft model',
  async () => {
    const options = {
      path: file.path,
      draftPath: file.path,
      cacheType: 'f32',
      cacheCells: 512,
      threads: 1,
      adapters,
    } as const;
    return createEngine(await openModel({ ...options, kind: 'kernels' }));
  },
  adapters,
);

for (const kind of ['kernels', 'llama', 'reference'] as const) {
  describeEngine(
    `the ${kind} engine in this process`,
    async () =>
      createEngine(await openModel({ path: file.path, kind, cacheType: 'f32', cacheCells: 512, threads: 1, adapters })),
    adapters,
  );
}
