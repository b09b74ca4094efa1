// Compile packages/kernels/native into the libraries of packages/kernels/bin, with the compiler that recipe.json pins.
// With --check nothing is written: the libraries are compiled again and must be equal to the committed ones, byte by byte.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../packages/kernels/', import.meta.url));
const NATIVE = join(PACKAGE, 'native');
const BIN = join(PACKAGE, 'bin');
const RECIPE = join(BIN, 'recipe.json');

/** Debian packages clang-19 and lld-19. Another compiler gives other bytes, and on some files other speed. */
const COMPILER = 'clang-19';
const LINKER = 'ld.lld-19';

// No libc, no unwinding, no contraction of a * b + c: the order of rounding is what the sources say.
const FLAGS = [
  '-std=c11',
  '-O3',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-fno-builtin',
  '-fPIC',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-fno-math-errno',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
];

const AVX2 = ['-mavx2', '-mfma', '-mf16c'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mavx512vnni'];
const COMMON = { 'pool.c': [], 'pack.c': [], 'library.c': [] };

/** Libraries: the target of the compiler and, for each source, the flags of its instruction set. */
const TARGETS = {
  'linux-x64.so': {
    target: 'x86_64-linux-gnu',
    sources: { 'set_avx512.c': AVX512, 'set_avx2.c': AVX2, ...COMMON },
  },
};

const LINK = [
  '-shared',
  '-nostdlib',
  '--no-undefined',
  '--gc-sections',
  '-s',
  '-z',
  'noexecstack',
  '-z',
  'relro',
  '-z',
  'now',
];
const LINK_NAMES = ['--hash-style=gnu', '--build-id=none', '-soname', 'gptj-kernels'];

function version(command) {
  try {
    return execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  } catch {
    return null;
  }
}

function build({ target, sources }, folder) {
  const objects = Object.entries(sources).map(([source, flags]) => {
    const object = join(folder, source.replace(/c$/, 'o'));
    const options = [`--target=${target}`, ...FLAGS, ...flags];
    execFileSync(COMPILER, [...options, '-c', source, '-o', object], { cwd: NATIVE, stdio: 'inherit' });
    return object;
  });
  const library = join(folder, 'library');
  execFileSync(LINKER, [...LINK, ...LINK_NAMES, '-o', library, ...objects], { stdio: 'inherit' });
  return readFileSync(library);
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const isCheck = process.argv.includes('--check');
const compiler = version(COMPILER);
const linker = version(LINKER);
if (compiler === null || linker === null) {
  console.error(`kernels: expected ${COMPILER} and ${LINKER}: apt-get install clang-19 lld-19`);
  process.exit(isCheck ? 2 : 1);
}
const built = {};
for (const [name, target] of Object.entries(TARGETS)) {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-kernels-'));
  try {
    built[name] = build(target, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
if (isCheck) {
  const recipe = JSON.parse(readFileSync(RECIPE, 'utf8'));
  if (recipe.compiler !== compiler || recipe.linker !== linker) {
    console.error(`kernels: built with ${recipe.compiler} and ${recipe.linker}, here are ${compiler} and ${linker}`);
    process.exit(2);
  }
  const differing = Object.keys(TARGETS).filter((name) => {
    const committed = readFileSync(join(BIN, name));
    return !committed.equals(built[name]) || recipe.sha256[name] !== sha256(committed);
  });
  for (const name of differing) console.error(`kernels: ${name} differs from its sources: npm run kernels:build`);
  process.exit(differing.length > 0 ? 1 : 0);
}
mkdirSync(BIN, { recursive: true });
for (const [name, bytes] of Object.entries(built)) {
  // A library in use must not change in place: a rename leaves it to the processes that have it open.
  writeFileSync(join(BIN, `.${name}`), bytes);
  renameSync(join(BIN, `.${name}`), join(BIN, name));
  console.log(`${name}: ${bytes.length} bytes, sha256 ${sha256(bytes)}`);
}
const recipe = {
  compiler,
  linker,
  flags: FLAGS,
  sha256: Object.fromEntries(Object.entries(built).map(([name, bytes]) => [name, sha256(bytes)])),
};
writeFileSync(RECIPE, `${JSON.stringify(recipe, null, 2)}\n`);
