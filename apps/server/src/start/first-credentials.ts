import { join } from 'node:path';
import type { CredentialOutput } from '../config/credential-output.ts';
import { ConfigError } from '../config-error.ts';
import { makeFolder } from '../store/make-folder.ts';
import { writeSecret } from './write-secret.ts';

/**
 * Keeps credentials that a start creates for the operator, who sees them once. A service manager keeps what a server prints,
 * readable for more people than those who may administer the server, so there they go into a file for its user alone.
 */
export interface CredentialKeeper {
  /** Whether credentials are printed; else they are written to files. */
  readonly isPrinted: boolean;
  /** Keep one, before it becomes valid. Returns where it was written; null when it is to be printed. */
  keep(name: 'first-api-token' | 'set-up-link', text: string): Promise<string | null>;
}

export function createCredentialKeeper(options: {
  readonly output: CredentialOutput;
  readonly isTerminal: boolean;
  readonly folder: string;
}): CredentialKeeper {
  const { output, isTerminal, folder } = options;
  const isPrinted = output === 'always' || (output === 'terminal' && isTerminal);
  return {
    isPrinted,
    async keep(name, text) {
      if (isPrinted) return null;
      const path = join(folder, `${name}.txt`);
      try {
        await makeFolder(folder, 0o700);
        await writeSecret(path, `${text}\n`);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ConfigError(
          `DATA_DIR: expected a folder in which ${name}.txt can be written, got ${reason}; set DATA_DIR to one, or PRINT_CREDENTIALS to always, or GPTJ_API_TOKEN, GPTJ_OWNER_EMAIL and GPTJ_OWNER_PASSWORD`,
          { cause },
        );
      }
      return path;
    },
  };
}
