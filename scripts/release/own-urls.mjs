// What own modules find by `new URL('…', import.meta.url)`: files of the checkout, and modules that start as a thread or a
// process. The package has all of them at the same places, so that these addresses hold there too.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const OWN_URL = /new URL\(\s*(?:'(\.[^']+)'|`(\.[^`$]*\/)\$[^`]*`|([^,]+)),\s*import\.meta\.url/g;
const NOT_SHIPPED = /\.(?:test|contract|fixture|d)\.ts$|(?:^|\/)testing\//;

/** `{ modules, files }`: paths of TypeScript modules, and of other files and folders, relative to the root. */
export function ownUrls(root) {
  const modules = new Set();
  const files = new Set();
  for (const source of shippedSources(root)) {
    const text = readFileSync(join(root, source), 'utf8');
    for (const [, address, folderOfSome, other] of text.matchAll(OWN_URL)) {
      if (other !== undefined)
        throw new Error(`${source}: expected a constant path or folder in new URL, got ${other}`);
      const place = posix.dirname(compiledPath(source));
      if (folderOfSome !== undefined) {
        for (const file of dataFiles(root, posix.join(place, folderOfSome))) files.add(file);
        continue;
      }
      const target = posix.join(place, address).replace(/\/$/, '');
      if (target.endsWith('.js')) modules.add(sourcePath(target));
      else files.add(target);
    }
  }
  return { modules: [...modules].toSorted(), files: [...files].toSorted() };
}

/** `apps/cli/src/main.ts` → `apps/cli/dist/main.js`, where the compiler writes it. */
export function compiledPath(source) {
  return source.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
}

function sourcePath(compiled) {
  return compiled.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
}

/** What is beside the sources of a folder. */
function dataFiles(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.[cm]?[jt]sx?$/.test(entry.name))
    .map(({ name }) => posix.join(folder, name));
}

function shippedSources(root) {
  return ['apps/cli', 'apps/server', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)].flatMap(
    (project) =>
      readdirSync(join(root, project, 'src'), { recursive: true, encoding: 'utf8' })
        .map((name) => `${project}/src/${name.replaceAll('\\', '/')}`)
        .filter((path) => path.endsWith('.ts') && !NOT_SHIPPED.test(path)),
  );
}
