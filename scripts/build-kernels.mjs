// Compile packages/kernels/native into the libraries of packages/kernels/bin, with the compiler that recipe.json pins.
// With --check nothing is written: the libraries are compiled again and must be equal to the committed ones, byte by byte;
// exit status 1 where they are not, 2 where another compiler is installed. With --program PATH it compiles the checks of
// native/test into a program: with the committed library named by --library, or with the sources and --sanitizer NAMES.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

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
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
];

const AVX2 = ['-mavx2', '-mfma', '-mf16c'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mavx512vnni'];
// Calls of libgcc's atomic functions would have nothing to link with.
const ARM = ['-mno-outline-atomics'];
const NEON = [...ARM, '-march=armv8.2-a+dotprod'];
const COMMON = { 'pool.c': [], 'pack.c': [], 'library.c': [] };

/** Libraries: the target of the compiler and, for each source, the flags of its instruction set. */
const TARGETS = {
  'linux-x64.so': {
    target: 'x86_64-linux-gnu',
    hostedCompiler: COMPILER,
    sources: { 'set_avx512.c': AVX512, 'set_avx2.c': AVX2, ...COMMON },
  },
  'linux-arm64.so': {
    target: 'aarch64-linux-gnu',
    // Debian's package has the libc for this target as well.
    hostedCompiler: process.arch === 'arm64' ? COMPILER : 'aarch64-linux-gnu-gcc',
    sources: { 'set_neon.c': NEON, 'pool.c': ARM, 'pack.c': ARM, 'library.c': ARM },
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
const SONAME = 'gptj-kernels';
const LINK_NAMES = ['--hash-style=gnu', '--build-id=none', '-soname', SONAME];

const CHECKS = 'test/check_steps.c';
const HOSTED_FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror'];

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
    execFileSync(COMPILER, [...options, '-c', source, '-o', object], inNative);
    return object;
  });
  const library = join(folder, 'library');
  execFileSync(LINKER, [...LINK, ...LINK_NAMES, '-o', library, ...objects], { stdio: 'inherit' });
  return readFileSync(library);
}

const inNative = { cwd: NATIVE, stdio: 'inherit' };
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** The checks with a committed library. The program expects the copy of the library that is beside it. */
function linkProgram(path, name) {
  const library = join(dirname(path), SONAME);
  copyFileSync(join(BIN, name), library);
  const link = [library, '-Wl,-rpath,$ORIGIN', '-pthread'];
  execFileSync(TARGETS[name].hostedCompiler, [...HOSTED_FLAGS, '-O2', CHECKS, ...link, '-o', path], inNative);
}

/** The checks with the sources of this machine's library. Optimised code takes minutes to compile with sanitizers. */
function compileProgram(path, sanitizer) {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-kernels-'));
  const sanitize = `-fsanitize=${sanitizer}`;
  const flags = [
    ...HOSTED_FLAGS,
    '-O0',
    '-g',
    '-ffp-contract=off',
    '-fno-math-errno',
    sanitize,
    '-fno-sanitize-recover=all',
  ];
  try {
    const { sources } = TARGETS[`linux-${process.arch}.so`];
    const objects = Object.entries({ ...sources, [CHECKS]: [] }).map(([source, ofSet], i) => {
      const object = join(folder, `${i}.o`);
      execFileSync(COMPILER, [...flags, ...ofSet, '-c', source, '-o', object], inNative);
      return object;
    });
    execFileSync(COMPILER, [sanitize, ...objects, '-pthread', '-o', path], inNative);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function buildAll() {
  return Object.fromEntries(
    Object.entries(TARGETS).map(([name, target]) => {
      const folder = mkdtempSync(join(tmpdir(), 'gptj-kernels-'));
      try {
        return [name, build(target, folder)];
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
  );
}

/** The exit status. */
function check(compiler, linker) {
  const recipe = JSON.parse(readFileSync(RECIPE, 'utf8'));
  if (recipe.compiler !== compiler || recipe.linker !== linker) {
    console.error(`kernels: built with ${recipe.compiler} and ${recipe.linker}, here are ${compiler} and ${linker}`);
    return 2;
  }
  const built = buildAll();
  const differing = Object.keys(TARGETS).filter((name) => {
    const committed = readFileSync(join(BIN, name));
    return !committed.equals(built[name]) || recipe.sha256[name] !== sha256(committed);
  });
  for (const name of differing) console.error(`kernels: ${name} differs from its sources: npm run kernels:build`);
  return differing.length > 0 ? 1 : 0;
}

function writeAll(compiler, linker) {
  const built = buildAll();
  mkdirSync(BIN, { recursive: true });
  for (const [name, bytes] of Object.entries(built)) {
    // A library in use must not change in place: a rename leaves it to the processes that have it open.
    writeFileSync(join(BIN, `.${name}`), bytes);
    renameSync(join(BIN, `.${name}`), join(BIN, name));
    console.log(`${name}: ${bytes.length} bytes, sha256 ${sha256(bytes)}`);
  }
  const hashes = Object.fromEntries(Object.entries(built).map(([name, bytes]) => [name, sha256(bytes)]));
  writeFileSync(RECIPE, `${JSON.stringify({ compiler, linker, flags: FLAGS, sha256: hashes }, null, 2)}\n`);
}

const { values } = parseArgs({
  options: {
    check: { type: 'boolean' },
    program: { type: 'string' },
    library: { type: 'string' },
    sanitizer: { type: 'string' },
  },
});
if (values.program !== undefined) {
  if (values.library !== undefined) linkProgram(values.program, values.library);
  else compileProgram(values.program, values.sanitizer);
} else {
  const compiler = version(COMPILER);
  const linker = version(LINKER);
  if (compiler === null || linker === null) {
    console.error(`kernels: expected ${COMPILER} and ${LINKER}: apt-get install clang-19 lld-19`);
    process.exitCode = values.check ? 2 : 1;
  } else if (values.check) process.exitCode = check(compiler, linker);
  else writeAll(compiler, linker);
}
