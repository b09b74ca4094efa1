// `npm test -- --watch`: the compiler and Node's test runner side by side, each in its own watch mode. The compiler
// writes a file to dist only when it changed; the runner repeats the test files that import it, however indirectly.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Routine lines of the compiler; what is left are its errors. */
const ROUTINE = /Starting compilation in watch mode|File change detected|Found 0 errors/;

/** Run until a signal ends it. */
export function watchTests(root, testArguments) {
  const compiler = spawn(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--watch', '--preserveWatchOutput'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  createInterface({ input: compiler.stdout }).on('line', (line) => {
    if (line.trim() !== '' && !ROUTINE.test(line)) console.error(line);
  });
  const tests = spawn(process.execPath, ['--watch', ...testArguments], { cwd: root, stdio: 'inherit' });
  const end = (status) => {
    compiler.kill();
    tests.kill();
    process.exitCode = status;
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0));
  compiler.on('exit', (status) => end(status ?? 1));
  tests.on('exit', (status) => end(status ?? 1));
}
