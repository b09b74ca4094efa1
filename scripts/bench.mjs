// `npm run bench -- MODEL.gguf`: install, compile, then the benchmark with its arguments.
import { join } from 'node:path';
import { prepare, root, run } from './prepare.mjs';

await prepare();
run(process.execPath, [join(root, 'bench/dist/main.js'), ...process.argv.slice(2)], {
  cwd: process.env.INIT_CWD ?? root,
});
