// `npm run bench:peers`: builds llama-bench against the llama.cpp libraries that the engine loads, from the
// sources in the package node-llama-cpp, into .cache/peers. Needs git and a C++ compiler; run by hand.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root, run } from './prepare.mjs';

const require = createRequire(join(root, 'packages/engine/package.json'));
const platform = process.argv[2] ?? `linux-${process.arch}`;
const packageRoot = dirname(dirname(require.resolve(`@node-llama-cpp/${platform}`)));
const version = require(join(packageRoot, 'package.json')).version;
const libraries = join(packageRoot, 'bins', platform);
const cache = join(root, '.cache', 'peers');
const sources = join(cache, 'llama.cpp');
const bin = join(cache, 'bin');
mkdirSync(bin, { recursive: true });

if (!existsSync(sources)) {
  run('npm', ['pack', '--silent', `node-llama-cpp@${version}`], { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] });
  run('tar', ['xzf', `node-llama-cpp-${version}.tgz`, 'package/llama/gitRelease.bundle'], { cwd: cache });
  run('git', ['clone', '--quiet', 'package/llama/gitRelease.bundle', 'llama.cpp'], { cwd: cache });
  rmSync(join(cache, `node-llama-cpp-${version}.tgz`));
}
// ggml searches for the CPU variants beside the program.
for (const file of readdirSync(libraries).filter((name) => name.endsWith('.so'))) {
  const link = join(bin, file);
  if (!existsSync(link)) symlinkSync(join(libraries, file), link);
}
const named = (stem) => `-l:${readdirSync(libraries).find((name) => name.startsWith(`lib${stem}.`))}`;
run(
  'g++',
  [
    ...['-O2', '-DNDEBUG', '-std=c++17', '-Iinclude', '-Iggml/include', '-Icommon', '-Ivendor', '-Itools/llama-bench'],
    ...[
      'tools/llama-bench/llama-bench.cpp',
      'tools/llama-bench/main.cpp',
      '-o',
      join(bin, 'llama-bench'),
      `-L${libraries}`,
    ],
    ...[named('llama-common'), named('llama'), named('ggml'), named('ggml-base'), '-Wl,-rpath,$ORIGIN', '-lpthread'],
  ],
  { cwd: sources },
);
console.log(`built ${join(bin, 'llama-bench')}`);
