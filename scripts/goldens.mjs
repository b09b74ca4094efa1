// `npm run goldens -- DIR`: compile, then run the golden files in DIR (default: test/goldens). The last line is
// `N passed, N failed`; the exit status is 1 when any failed.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

await prepare();
run(process.execPath, ['--enable-source-maps', join(root, 'test/dist/goldens/main.js'), ...process.argv.slice(2)]);
