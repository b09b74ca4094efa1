import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { type Ran, type RunGptjOptions, runGptj } from './run-gptj.ts';

export const TOKEN = 'command-line-token-0123456789';
export const PASSWORD = 'correct horse 7 battery';

export interface CliServer {
  /** A folder for the files of the tests. */
  readonly folder: string;
  readonly url: string;
  /** Names the server and its token. */
  readonly env: NodeJS.ProcessEnv;
  gptj(args: readonly string[], options?: RunGptjOptions): Promise<Ran>;
  /** The output of a command that succeeds. */
  done(args: readonly string[], options?: RunGptjOptions): Promise<string>;
}

/**
 * A server with the embedded model and an owner for the tests of a file. `seed` fills it; `clock` is its time. Its functions
 * work in tests alone.
 */
export function useCliServer(
  seed: (url: string) => Promise<void> = async () => {},
  clock: () => Date = () => new Date(),
): CliServer {
  let folder = '';
  let server: RunningServer | null = null;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gptj-client-'));
    server = await serve(
      { port: 0, dataDir: join(folder, 'data'), apiToken: TOKEN },
      {
        environment: {
          GPTJ_OWNER_EMAIL: 'owner@example.com',
          GPTJ_OWNER_PASSWORD: PASSWORD,
          // The receivers of webhooks listen on this machine.
          WEBHOOK_PRIVATE_TARGETS: 'true',
        },
        clock,
        print: () => {},
        log: () => {},
      },
    );
    await seed(server.url);
  });
  after(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const urlOf = (): string => {
    assert.ok(server !== null);
    return server.url;
  };
  const envOf = (): NodeJS.ProcessEnv => ({
    XDG_CONFIG_HOME: folder,
    PIPELINE_API_TOKEN: TOKEN,
    PIPELINE_API_URL: urlOf(),
  });
  const gptj: CliServer['gptj'] = async (args, options = {}) => await runGptj(args, { env: envOf(), ...options });
  return {
    get folder() {
      return folder;
    },
    get url() {
      return urlOf();
    },
    get env() {
      return envOf();
    },
    gptj,
    async done(args, options) {
      const { status, stdout, stderr } = await gptj(args, options);
      assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    },
  };
}

export function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => ({ ...JSON.parse(line) }));
}
