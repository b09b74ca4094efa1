// `npm run bench:peers`: builds llama-bench, and with `-- --server` llama-server, against the llama.cpp libraries that the engine
// loads, from the sources in the package node-llama-cpp, into .cache/peers. Needs git and a C++ compiler; run by hand.
// llama-server takes about ten minutes.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { root, run } from './prepare.mjs';

const require = createRequire(join(root, 'packages/engine/package.json'));
const { values: options, positionals } = parseArgs({
  options: { server: { type: 'boolean' } },
  allowPositionals: true,
});
const platform = positionals[0] ?? `linux-${process.arch}`;
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
const LINKED = [...['llama-common', 'llama', 'ggml', 'ggml-base'].map(named), ...['-Wl,-rpath,$ORIGIN', '-lpthread']];
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
    ...LINKED,
  ],
  { cwd: sources },
);
console.log(`built ${join(bin, 'llama-bench')}`);
if (options.server) await buildServer();

async function buildServer() {
  const objects = join(cache, 'objects');
  mkdirSync(objects, { recursive: true });
  // Pages of the server, which its build fetches: this one has none.
  writeFileSync(
    join(objects, 'ui.h'),
    `#pragma once
#include <cstddef>
#include <string>
#include <vector>
struct llama_ui_asset { std::string name; const unsigned char *data; size_t size; std::string etag; std::string type; };
inline const llama_ui_asset *llama_ui_find_asset(const std::string &) { return nullptr; }
inline std::vector<llama_ui_asset> llama_ui_get_assets() { return {}; }
inline bool llama_ui_use_gzip() { return false; }
`,
  );
  const all = (folder, pattern) =>
    readdirSync(join(sources, folder))
      .filter((name) => pattern.test(name))
      .map((name) => join(folder, name));
  const files = [
    ...all('tools/server', /\.cpp$/),
    ...all('tools/mtmd', /^(clip|mtmd|mtmd-audio|mtmd-image|mtmd-helper)\.cpp$/),
    ...all('tools/mtmd/models', /\.cpp$/),
    ...all('vendor/cpp-httplib', /\.cpp$/),
    'vendor/hash/hash.cpp',
    'vendor/hash/sha256/sha256.c',
  ];
  const includes = [
    'include',
    'ggml/include',
    'common',
    'vendor',
    'vendor/hash',
    'tools/server',
    'tools/mtmd',
    'src',
    '.',
  ].map((path) => `-I${path}`);
  const compile = promisify(execFile);
  const left = files.map((file) => ({ file, object: join(objects, `${file.replaceAll('/', '_')}.o`) }));
  const made = left.map(({ object }) => object);
  const total = left.length;
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { file, object } = next;
      if (existsSync(object)) continue;
      const [program, standard] = file.endsWith('.c') ? ['gcc', '-std=c11'] : ['g++', '-std=c++17'];
      const part = `${object}.part`;
      await compile(program, ['-O1', '-DNDEBUG', standard, ...includes, `-I${objects}`, '-c', file, '-o', part], {
        cwd: sources,
        maxBuffer: 2 ** 26,
      });
      renameSync(part, object);
      console.log(`${total - left.length}/${total} ${basename(file)}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const program = join(bin, 'llama-server');
  run('g++', [...made, '-o', program, `-L${libraries}`, ...LINKED]);
  console.log(`built ${program}`);
}
