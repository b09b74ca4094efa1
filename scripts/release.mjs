// `npm run release -- --out DIR`: every artefact of a release, each checked in an empty folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareWithDashboard, root } from './prepare.mjs';
import { checkArtefacts } from './release/check-artefacts.mjs';
import { writeSdkPackage } from './release/sdk-package.mjs';
import { writeWheel } from './release/wheel.mjs';

const USAGE = `usage: npm run release -- --out DIR [options]

Writes into DIR, which must be absent or empty: gptj-cloud-VERSION.tgz (server, command, dashboard, embedded model),
the same with -linux-arm64 for Linux on ARM, gptj-cloud-sdk-VERSION.tgz, the wheel of the Python client, sbom.cdx.json and SHA256SUMS. Then installs each in an
empty folder and uses it.

  --out DIR     where the artefacts go
  --no-check    do not install and use them
  -h, --help    show this text`;

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    'no-check': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE);
else if (values.out === undefined) refuse(`expected --out DIR\n\n${USAGE}`);
else await release(resolve(process.env.INIT_CWD ?? '.', values.out));

async function release(out) {
  if (existsSync(out) && readdirSync(out).length > 0) {
    refuse(`${out}: expected an empty folder, found files; name another`);
    return;
  }
  const failure = await prepareWithDashboard();
  if (failure !== null) {
    refuse(failure);
    return;
  }
  // It imports packages, which a fresh clone has from here on.
  const { OWN_SYSTEMS, writeServerPackage } = await import('./release/server-package.mjs');
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'gptj-release-'));
  try {
    const sdk = join(folder, 'sdk');
    writeSdkPackage({ root, folder: sdk });
    const server = {};
    let bill;
    for (const system of [...OWN_SYSTEMS, null]) {
      const contents = join(folder, 'gptj-cloud');
      bill = await writeServerPackage({ root, folder: contents, system });
      const packed = pack(contents, out);
      // The next one has the same name.
      server[system] = system === null ? packed : packed.replace(/\.tgz$/, `-${system}.tgz`);
      if (system !== null) renameSync(packed, server[system]);
      rmSync(contents, { recursive: true });
    }
    const here = server[`${process.platform}-${process.arch}`] ?? server[null];
    const artefacts = { server: here, sdk: pack(sdk, out), wheel: writeWheel({ root, folder: out }) };
    writeFileSync(join(out, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
    const sums = readdirSync(out)
      .toSorted()
      .map((name) => [name, readFileSync(join(out, name))])
      .map(([name, bytes]) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`);
    writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
    for (const name of readdirSync(out)) console.log(`${megabytes(readFileSync(join(out, name)).length)}  ${name}`);
    if (!values['no-check']) await checkArtefacts({ root, artefacts, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tarball that npm makes of a folder. */
function pack(folder, out) {
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', out],
    {
      cwd: folder,
      encoding: 'utf8',
      shell: process.platform === 'win32',
      maxBuffer: 2 ** 26,
    },
  );
  if (status !== 0) throw new Error(`npm pack failed in ${folder}: ${stderr}`);
  const packed = JSON.parse(stdout);
  // Up to npm 11 a list, later an object by name.
  const [{ filename }] = Array.isArray(packed) ? packed : Object.values(packed);
  return join(out, filename);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`.padStart(9);
}

function refuse(message) {
  console.error(message);
  process.exitCode = 1;
}
