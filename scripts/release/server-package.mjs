// The package `gptj-cloud`: command, server, dashboard, manual and embedded model, without the packages that are bundled.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleServer } from './bundle-server.mjs';
import { ownUrls } from './own-urls.mjs';
import { billOfMaterials, describePackages, licenceTexts, withDependencies } from './third-parties.mjs';

const NAME = 'gptj-cloud';
const TEXTS = ['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md'];
/** They build the dashboard and are not part of it. */
const BUILDERS = /^(?:vite|@vitejs\/plugin-react|@types\/.*)$/;

const BIN = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(\`gptj needs Node 20.19 or newer; this is \${process.versions.node}. See https://nodejs.org\`);
  process.exitCode = 1;
} else await import('../apps/cli/dist/main.js');
`;

/**
 * The systems that have a package of their own. The manifest of this engine names x64 as well, so that npm would install it
 * on every Linux machine.
 */
export const OWN_SYSTEMS = ['linux-arm64'];

/**
 * Write the files of the package into `folder`, and return its bill of materials. `system`: one of `OWN_SYSTEMS`, or null for
 * all others.
 */
export async function writeServerPackage({ root, folder, system }) {
  const readPackage = (path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const project = readPackage('.');
  const { version, description, license } = project;
  const { modules, files } = ownUrls(root);
  const bundled = await bundleServer({ root, folder, modules });
  for (const path of files) {
    if (path.endsWith('/package.json')) writeJson(join(folder, path), { type: 'module', version });
    else cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  for (const name of TEXTS) cpSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'gptj.mjs'), BIN, { mode: 0o755 });
  const native = readPackage('packages/engine');
  const engines = installedEngines(root, native);
  const dashboard = Object.keys(readPackage('apps/dashboard').devDependencies).filter((name) => !BUILDERS.test(name));
  const packages = describePackages(
    root,
    [
      ...new Set([...bundled, ...withDependencies(root, dashboard), 'koffi', ...engines.map(({ name }) => name)]),
    ].toSorted(),
  );
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), licenceTexts(packages));
  writeJson(join(folder, 'package.json'), {
    name: NAME,
    version,
    description,
    license,
    type: 'module',
    engines: project.engines,
    bin: { gptj: 'bin/gptj.mjs', [NAME]: 'bin/gptj.mjs' },
    dependencies: { koffi: native.dependencies.koffi },
    optionalDependencies: enginesOf(native, system),
  });
  return billOfMaterials({ name: NAME, version, packages });
}

function enginesOf({ optionalDependencies }, system) {
  return Object.fromEntries(
    Object.entries(optionalDependencies).filter(([name]) => {
      const own = OWN_SYSTEMS.find((each) => name.endsWith(`/${each}`)) ?? null;
      return own === system;
    }),
  );
}

/** Manifests of the engines that are installed here, of those for all systems. */
function installedEngines(root, { optionalDependencies }) {
  return Object.keys(optionalDependencies).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'))];
    } catch {
      return [];
    }
  });
}

function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
