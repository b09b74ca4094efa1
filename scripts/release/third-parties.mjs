// The packages of others that an artefact contains: their licences as text, and a bill of materials.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The packages that `names` need, by the lockfile, with the names themselves. */
export function withDependencies(root, names) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set();
  const add = (name) => {
    const entry = packages[`node_modules/${name}`];
    if (entry === undefined || entry.link || found.has(name)) return;
    found.add(name);
    for (const next of Object.keys(entry.dependencies ?? {})) add(next);
  };
  for (const name of names) add(name);
  return [...found].toSorted();
}

/** Name, version, licence and licence texts of installed packages. */
export function describePackages(root, names) {
  return names.map((name) => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const texts = readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    if (typeof license !== 'string') throw new Error(`${name}: expected a licence in its package.json, found none`);
    return { name, version, license, texts };
  });
}

/** One text with the licences of all packages. */
export function licenceTexts(packages) {
  const line = '-'.repeat(80);
  return packages
    .map(({ name, version, license, texts }) => [`${name} ${version} (${license})`, ...texts].join('\n\n'))
    .join(`\n\n${line}\n\n`)
    .concat('\n');
}

/** A bill of materials in the form CycloneDX 1.6. */
export function billOfMaterials({ name, version, packages }) {
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name, version, 'bom-ref': `pkg:npm/${name}@${version}` } },
    components: packages.map((each) => ({
      type: 'library',
      name: each.name,
      version: each.version,
      'bom-ref': packageUrl(each),
      purl: packageUrl(each),
      licenses: [/[ ()]/.test(each.license) ? { expression: each.license } : { license: { id: each.license } }],
    })),
  };
}

function packageUrl({ name, version }) {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}
