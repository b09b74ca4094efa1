// The wheel of the Python client. It is plain Python, so an archive with three files of metadata is all that it takes, and a
// release needs neither Python nor a build package of it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zip } from './zip.mjs';

const PACKAGE = 'pipeline';

/** Write the wheel into `folder`, and return its path. */
export function writeWheel({ root, folder }) {
  const client = join(root, 'clients', 'python');
  const project = readFileSync(join(client, 'pyproject.toml'), 'utf8');
  const field = (name) => {
    const value = new RegExp(`^${name} = "([^"\n]*)"$`, 'm').exec(project)?.[1];
    if (value === undefined) throw new Error(`clients/python/pyproject.toml: expected ${name} = "…"`);
    return value;
  };
  const distribution = field('name').replaceAll(/[-_.]+/g, '_');
  const info = `${distribution}-${field('version')}.dist-info`;
  const metadata = [
    'Metadata-Version: 2.4',
    `Name: ${field('name')}`,
    `Version: ${field('version')}`,
    `Summary: ${field('description')}`,
    'License-Expression: Apache-2.0',
    'License-File: LICENSE',
    `Requires-Python: ${field('requires-python')}`,
    'Description-Content-Type: text/markdown',
    '',
    readFileSync(join(client, 'README.md'), 'utf8'),
  ].join('\n');
  const files = [
    ...sources(client),
    [`${info}/METADATA`, Buffer.from(metadata)],
    [
      `${info}/WHEEL`,
      Buffer.from('Wheel-Version: 1.0\nGenerator: gptj-cloud\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
    ],
    [`${info}/licenses/LICENSE`, readFileSync(join(root, 'LICENSE'))],
  ];
  const record = files.map(([name, bytes]) => `${name},sha256=${hashOf(bytes)},${bytes.length}\n`).join('');
  files.push([`${info}/RECORD`, Buffer.from(`${record}${info}/RECORD,,\n`)]);
  const path = join(folder, `${distribution}-${field('version')}-py3-none-any.whl`);
  writeFileSync(path, zip(files));
  return path;
}

function sources(client) {
  return readdirSync(join(client, PACKAGE), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.py$|(?:^|[\\/])py\.typed$/.test(name))
    .toSorted()
    .map((name) => [`${PACKAGE}/${name.replaceAll('\\', '/')}`, readFileSync(join(client, PACKAGE, name))]);
}

function hashOf(bytes) {
  return createHash('sha256').update(bytes).digest('base64url');
}
