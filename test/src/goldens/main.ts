// The program behind `npm run goldens -- DIR`. Without DIR: the project's own copies.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GOLDEN_RUNNERS, REFERENCE_RUNNERS } from './registry.ts';
import { runGoldenFolder } from './run-folder.ts';

const OWN_COPIES = fileURLToPath(new URL('../../goldens', import.meta.url));

const [given, ...surplus] = process.argv.slice(2);
if (surplus.length > 0) {
  console.error(`expected one folder, got ${surplus.length + 1}; use: npm run goldens -- DIR`);
  process.exit(2);
}
// npm changes to the project's root and passes the caller's folder in INIT_CWD.
const folder = given === undefined ? OWN_COPIES : resolve(process.env.INIT_CWD ?? process.cwd(), given);
try {
  const { passed, failed } = await runGoldenFolder(folder, new Map([...GOLDEN_RUNNERS, ...REFERENCE_RUNNERS]), (line) =>
    console.log(line),
  );
  console.log(`${passed} passed, ${failed} failed`);
  if (passed + failed === 0) console.error(`no golden file with a runner in ${folder}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
} catch (error) {
  console.error(`could not read ${folder}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
