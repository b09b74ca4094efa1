// Writes the JavaScript of some projects into their `dist`, where `tsc -b` puts it, without checking types: in a second in
// place of ten, and without the compiler, which a clone need not install in order to serve.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NOT_SERVED = /\.(?:test|contract|fixture|d)\.ts$|(?:^|[\\/])testing[\\/]/;
const RECORD = '.transpiled';
/** What the compiler knows of its own output. */
const COMPILED = 'tsconfig.tsbuildinfo';

/** Transpile the project `main` and those that it refers to, unless that has been done with the same sources. */
export async function transpile(root, main) {
  const projects = projectsOf(root, main);
  const sources = projects.flatMap((project) => sourcesOf(root, project));
  const hash = createHash('sha256');
  for (const { from, text } of sources) hash.update(`${from}\n${text.length}\n`).update(text);
  const digest = hash.digest('hex');
  const record = join(root, main, 'dist', RECORD);
  const compiled = existsSync(join(root, main, 'dist', COMPILED));
  if (!compiled && readText(record) === digest && sources.every(({ to }) => existsSync(join(root, to)))) return;
  // Only loaded when there is something to do.
  const esbuild = await import('esbuild');
  try {
    const { outputFiles } = await esbuild.build({
      absWorkingDir: root,
      entryPoints: sources.map(({ from, to }) => ({ in: from, out: to.slice(0, -'.js'.length) })),
      outdir: root,
      // To have every import passed to the plugin; none is bundled.
      bundle: true,
      plugins: [keepImports],
      format: 'esm',
      platform: 'node',
      target: 'node20',
      write: false,
      logLevel: 'error',
    });
    // The compiler must not take these files for its own.
    for (const project of projects) rmSync(join(root, project, 'dist', COMPILED), { force: true });
    for (const { path, text } of outputFiles) writeChanged(path, text);
    writeFileSync(record, digest);
  } finally {
    await esbuild.stop();
  }
}

/** Imports stay; those of own files name what is written for them. */
const keepImports = {
  name: 'keep-imports',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ kind, path }) => {
      if (kind === 'entry-point') return undefined;
      return { path: path.startsWith('.') ? path.replace(/\.ts$/, '.js') : path, external: true };
    });
  },
};

/** A project with all that it refers to, folders relative to the root. */
function projectsOf(root, main) {
  const found = new Set();
  const add = (project) => {
    if (found.has(project)) return;
    found.add(project);
    const { references = [] } = JSON.parse(readFileSync(join(root, project, 'tsconfig.json'), 'utf8'));
    for (const { path } of references) add(join(project, path));
  };
  add(main);
  return [...found];
}

function sourcesOf(root, project) {
  return readdirSync(join(root, project, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !NOT_SERVED.test(name))
    .toSorted()
    .map((name) => {
      const from = join(project, 'src', name);
      const to = join(project, 'dist', name.replace(/\.ts$/, '.js'));
      return { from, to, text: readFileSync(join(root, from)) };
    });
}

/** A server that runs may be about to load a file. */
function writeChanged(path, text) {
  if (readText(path) === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
