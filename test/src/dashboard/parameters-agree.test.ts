// The form of the playground checks parameters with the server's code: here both answer for every validation golden.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { serve } from '@gptj-cloud/server';

const TOKEN = 'agree-token-0123456789';
const AT_ONCE = 4;

interface Golden {
  readonly name: string;
  readonly era: '5.18' | '4.25';
  readonly params: Readonly<Record<string, unknown>>;
}

/** What `apps/dashboard/src/playground/parameters/check-parameters.ts` exports: a package that no other may import. */
interface Form {
  checkParameters(
    parameters: Readonly<Record<string, unknown>>,
    model: { readonly contextLength: number; readonly vocabSize: number },
    promptTokens: number,
  ): {
    readonly mode: string | null;
    readonly warnings: ReadonlyMap<string, string>;
    readonly refusal: { readonly message: string } | null;
  };
}

test('form and server agree on all validation goldens: mode, warnings and refusals', async () => {
  const root = new URL('../../../', import.meta.url);
  const { cases, common } = JSON.parse(readFileSync(new URL('test/goldens/errors.json', root), 'utf8')) as {
    readonly cases: readonly Golden[];
    readonly common: { readonly prompt: readonly number[] };
  };
  assert.equal(cases.length, 289);
  const file = new URL('apps/dashboard/dist/playground/parameters/check-parameters.js', root);
  const form: Form = await import(file.href);
  const folder = await mkdtemp(join(tmpdir(), 'gptj-agree-'));
  const server = await serve(
    { port: 0, dataDir: folder, apiToken: TOKEN },
    { environment: {}, print: () => {}, log: () => {} },
  );
  try {
    const api = new PipelineCloud({ token: TOKEN, url: server.url });
    const { model } = await api.engine.get();
    const facts = { contextLength: model.context, vocabSize: model.vocabulary };
    const rest = [...cases];
    const compare = async (): Promise<void> => {
      for (let golden = rest.pop(); golden !== undefined; golden = rest.pop()) {
        const parameters: Readonly<Record<string, unknown>> = {
          ...golden.params,
          ...(golden.era === '4.25' ? { compat: '4.25' } : {}),
        };
        const here = form.checkParameters(parameters, facts, common.prompt.length);
        const { mode, warnings, refusal } = await api.runs.check('gpt-j:latest', [common.prompt, parameters]);
        // Whether the engine has logits of inner layers, and what the plan allows, the server alone knows.
        if (refusal !== null && /inner layers/.test(refusal.message)) continue;
        assert.deepEqual(
          { mode: here.mode, refusal: here.refusal?.message ?? null, warnings: [...here.warnings.values()] },
          { mode, refusal: refusal?.message ?? null, warnings },
          `${golden.name} ${JSON.stringify(parameters)}`,
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, compare));
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
