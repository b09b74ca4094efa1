/** The credentials that a start adds: the environment's token, or else a first token, and the owner's account. */
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { AccountDeps } from '../identity/account-deps.ts';
import { ensureApiKey } from '../identity/api-keys/api-key-store.ts';
import { ensureOwner, type OwnerSettings } from '../identity/users/set-up-owner.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CredentialKeeper } from './first-credentials.ts';

interface EnsureCredentialsDeps {
  readonly accounts: AccountDeps;
  /** `GPTJ_API_TOKEN`; null: none. */
  readonly apiToken: string | null;
  readonly owner: OwnerSettings | null;
  /** The link to set up the owner's account. */
  readonly linkOf: (secret: string) => string;
  readonly keeper: CredentialKeeper;
  readonly logger: Logger;
}

/** A credential that this start created: its text to print, or the file that holds it. */
type Created = { readonly text: string; readonly path: string | null };

export interface CreatedCredentials {
  readonly token: Created | null;
  readonly link: Created | null;
}

/** Add the credentials, and report in the log what changed. The log holds no credential. */
export async function ensureCredentials(deps: EnsureCredentialsDeps): Promise<CreatedCredentials> {
  const { accounts, keeper, logger } = deps;
  let token: Created | null = null;
  const keys = await ensureApiKey(accounts.db, {
    environmentToken: deps.apiToken,
    now: accounts.clock(),
    async keep(text) {
      token = { text, path: await keeper.keep('first-api-token', text) };
    },
  });
  if (keys.isAdded) logger.warn('credentials changed: the token of GPTJ_API_TOKEN was added to the API tokens');
  if (keys.isUnusable) {
    logger.warn(
      'the token of GPTJ_API_TOKEN is disabled or expired: requests with it are refused; enable it, or set another',
    );
  }
  if (keys.fromOtherStarts > 0) {
    logger.info(
      'API tokens that other starts added from GPTJ_API_TOKEN stay valid; gptj admin token disable ends one',
      {
        tokens: keys.fromOtherStarts,
      },
    );
  }
  reportCreated(logger, 'credentials changed: a first API token was created', token);
  let link: Created | null = null;
  const ensured = await ensureOwner(accounts, deps.owner, async (secret) => {
    const text = deps.linkOf(secret);
    link = { text, path: await keeper.keep('set-up-link', text) };
  });
  if (ensured === 'set_up') {
    logger.warn("credentials changed: the owner's account was set up from GPTJ_OWNER_EMAIL and GPTJ_OWNER_PASSWORD");
  }
  reportCreated(logger, "credentials changed: a link to set up the owner's account was created", link);
  return { token, link };
}

function reportCreated(logger: Logger, message: string, created: Created | null): void {
  if (created !== null) logger.warn(message, created.path === null ? { printed: true } : { file: created.path });
}

/** Print what the operator sees once, or where it is. */
export function printCredentials(
  print: (line: string) => void,
  { token, link }: CreatedCredentials,
  url: string,
): void {
  if (token !== null) {
    if (token.path === null) print(`API token: ${token.text}`);
    else print(`The first API token is in ${token.path}; delete the file when you have stored the token.`);
    print('It is shown only once; the server stores only its hash. Try it:');
    print(tryIt(url, token.path === null ? token.text : `$(cat ${shellQuoted(token.path)})`));
  }
  if (link === null) return;
  const shown = link.path === null ? link.text : `the link is in ${link.path}`;
  print(`Set up the owner's account (once, within a day): ${shown}`);
}

/** A word that a shell takes as it stands. The substitution around it begins quotes of its own. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command that generates. Double quotes let a shell read the token from its file. */
function tryIt(url: string, token: string): string {
  const body = {
    pipeline_id: GPTJ_PIPELINE_ID,
    data: ['I met a traveller from an antique land, who said', { response_length: 64, remove_input: false }],
  };
  const quote = token.startsWith('$') ? '"' : "'";
  return `curl ${url}/v2/runs -H ${quote}Authorization: Bearer ${token}${quote} -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
}
