import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@gptj-cloud/server';

/** The routes that a server documents, as `METHOD /path/{parameter}`. */
export async function apiRoutes(): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-routes-'));
  const parts = { environment: {}, print: () => {}, log: () => {} };
  const server = await serve({ port: 0, dataDir: folder, apiToken: 'routes-0123456789abcdef' }, parts);
  try {
    const reply = await fetch(`${server.url}/openapi.json`);
    const { paths }: { readonly paths: Readonly<Record<string, object>> } = JSON.parse(await reply.text());
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
