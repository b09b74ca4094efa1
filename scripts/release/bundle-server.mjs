// Bundles the command, the server and the modules that start as threads or processes, with the packages that they use.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { compiledPath } from './own-urls.mjs';

/** All output is in one folder, where esbuild's chunks find one another. */
const BUNDLE = 'bundle';
const MAIN = 'apps/cli/src/main.ts';
/** Native, or only present on other platforms. */
const EXTERNAL = ['koffi', 'pg-native'];
/** Files that PGlite reads from beside its code. */
const PGLITE_FILES = ['pglite.wasm', 'pglite.data', 'initdb.wasm'];

/** Write the bundle into `folder`. `modules`: those that own code starts by URL. Returns the names of bundled packages. */
export async function bundleServer({ root, folder, modules }) {
  const entries = [MAIN, ...modules];
  const names = entries.map((path) => basename(path, '.ts'));
  if (new Set(names).size !== names.length) throw new Error(`expected entries with different names, got ${names}`);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outdir: join(folder, BUNDLE),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: EXTERNAL,
    minifyWhitespace: true,
    minifySyntax: true,
    // Names of error classes are read by their handlers.
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    plugins: [ownSources(root)],
    // Packages in CommonJS ask for Node's own modules.
    banner: {
      js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
    },
  });
  for (const entry of entries) writeStub(folder, compiledPath(entry), basename(entry, '.ts'));
  const pglite = dirname(createRequire(join(root, 'apps/server/package.json')).resolve('@electric-sql/pglite'));
  for (const name of PGLITE_FILES) copyFileSync(join(pglite, name), join(folder, BUNDLE, name));
  return bundledPackages(metafile);
}

/** Own packages are bundled from their TypeScript. Their `import.meta.url` is where the compiler would have put them. */
function ownSources(root) {
  return {
    name: 'own-sources',
    setup(build) {
      build.onResolve({ filter: /^@gptj-cloud\// }, ({ path }) => {
        const name = path.slice('@gptj-cloud/'.length);
        return { path: join(root, name === 'server' ? 'apps' : 'packages', name, 'src', 'index.ts') };
      });
      build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) => {
        const source = relative(root, path).split(sep).join('/');
        if (source.startsWith('..') || source.includes('node_modules/')) return undefined;
        const address = `new URL(${JSON.stringify(`../${compiledPath(source)}`)}, import.meta.url).href`;
        const contents = readFileSync(path, 'utf8').replace(/\bimport\.meta\.url\b/g, address);
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** At the address where own code looks for a module: one line that loads it from the bundle. */
function writeStub(folder, path, name) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `import '${'../'.repeat(path.split('/').length - 1)}${BUNDLE}/${name}.js';\n`);
}

function bundledPackages({ outputs }) {
  const names = new Set();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      if (name !== undefined && bytesInOutput > 0) names.add(name);
    }
  }
  return [...names].toSorted();
}
