// Arguments of `npm test -- …`.
import { parseArgs } from 'node:util';

export const TEST_USAGE = `usage: npm test -- [options] [path ...]

Without arguments: install, compile, then run every test. A path narrows that down to one file or folder, in the source
(apps/server/src/runs, packages/pickle/src/hex.test.ts) or compiled (packages/pickle/dist). A source file that is not a
test stands for the test beside it: packages/pickle/src/hex.ts runs hex.test.ts.

  -t, --test-name-pattern PATTERN   run only tests whose name matches this JavaScript regular expression; may be repeated
  -w, --watch                       keep running: compile on every change and repeat the test files that it affects
  -h, --help                        show this text

examples:
  npm test -- packages/tokenizer
  npm test -- apps/server/src/runs -t "lease"
  npm test -- --watch packages/decoding/src/generate.test.ts

Set TEST_STORE=postgres and TEST_DATABASE_URL to run the tests that open a store on a PostgreSQL server.`;

/** Invalid arguments; the message is printed to the terminal. */
export class TestUsageError extends Error {
  name = 'TestUsageError';
}

/** Read the arguments. Throws TestUsageError for an unknown option and for a pattern that is no regular expression. */
export function parseTestArguments(args) {
  const { values, positionals } = parse(args);
  const patterns = values['test-name-pattern'] ?? [];
  for (const pattern of patterns) checkPattern(pattern);
  return { paths: positionals, patterns, watch: values.watch ?? false, help: values.help ?? false };
}

function parse(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        'test-name-pattern': { type: 'string', short: 't', multiple: true },
        watch: { type: 'boolean', short: 'w' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new TestUsageError(`${error.message}\nsee npm test -- --help`);
  }
}

function checkPattern(pattern) {
  try {
    // Node reads /…/flags as a regular expression with flags, and anything else as its source.
    const literal = /^\/(.*)\/([a-z]*)$/.exec(pattern);
    new RegExp(literal?.[1] ?? pattern, literal?.[2] ?? '');
  } catch (error) {
    throw new TestUsageError(
      `-t ${JSON.stringify(pattern)}: expected a JavaScript regular expression: ${error.message}; escape ( ) [ ] . * + ? with \\`,
    );
  }
}
