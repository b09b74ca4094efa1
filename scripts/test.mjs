// `npm test`: install, compile, then every test file of every room on compiled output with Node's own runner.
// `npm test -- --help` shows how to run some of them.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, prepareWithDashboard, root, run } from './prepare.mjs';
import { parseTestArguments, TEST_USAGE, TestUsageError } from './testing/test-arguments.mjs';
import { selectTestFiles } from './testing/test-files.mjs';
import { watchTests } from './testing/watch-tests.mjs';

try {
  const call = parseTestArguments(process.argv.slice(2));
  if (call.help) console.log(TEST_USAGE);
  else await runTests(call);
} catch (error) {
  if (!(error instanceof TestUsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function runTests({ paths, patterns, watch }) {
  // Only tests in a browser open the dashboard; a run of some other files need not wait for its build.
  const opensBrowser = paths.length === 0 || paths.some((path) => path.split(/[\\/]/).includes('test'));
  if (opensBrowser) {
    const failure = await prepareWithDashboard();
    if (failure !== null) {
      console.error(failure);
      process.exitCode = 1;
      return;
    }
  } else await prepare();
  const files = selectTestFiles(root, paths, process.env.INIT_CWD ?? root);
  const args = [
    '--enable-source-maps',
    '--test',
    // Node's default leaves one core idle, which is half of a machine with two.
    `--test-concurrency=${availableParallelism()}`,
    ...patterns.map((pattern) => `--test-name-pattern=${pattern}`),
    ...(patterns.length > 0 ? [`--test-reporter=${reporter('matching-tests-reporter.mjs')}`] : []),
    ...files,
  ];
  if (watch) watchTests(root, args);
  else run(process.execPath, args);
}

function reporter(name) {
  return pathToFileURL(join(root, 'scripts', 'testing', name)).href;
}
