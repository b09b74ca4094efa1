// Executes the steps of deploy/Dockerfile without Docker, in a root folder that debootstrap makes, then starts the image as a cluster
// does: as its user, without rights, on a file system that cannot be written but for /data and /tmp. Its health check must pass, a run
// must end, and nothing else may be writable.
//
//   sudo node scripts/trials/image.mjs [folder of a base made by an earlier call]
//
// Needs Linux, root, Debian's package debootstrap, and its registry and that of npm. In place of the image `node`, the base is Debian
// with the Node and npm that execute this script.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../prepare.mjs';

const NPM = join(dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()))));
const folder = mkdtempSync(join(tmpdir(), 'gptj-image-'));
const base = process.argv[2] ?? join(folder, 'base');
const say = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
/** A client inside of the image: a run from its acceptance to its end. */
const USE = `
const reply = await fetch('http://127.0.0.1:' + process.env.PORT + '/v2/runs', {
  method: 'POST',
  headers: { authorization: 'Bearer trial-token-0123456789', 'content-type': 'application/json' },
  body: JSON.stringify({ pipeline_id: 'gpt-j:latest', data: ['Once upon', { response_length: 8 }] }),
});
const run = await reply.json();
console.log('a run is', run.run_state, JSON.stringify(run.result_preview));
process.exit(run.run_state === 'complete' ? 0 : 1);
`;
let isSound = false;
try {
  makeBase();
  const stages = readStages(readFileSync(join(root, 'deploy/Dockerfile'), 'utf8'));
  const folders = new Map();
  for (const [i, stage] of stages.entries()) {
    const place = join(folder, `stage-${i}`);
    execFileSync('cp', ['-a', base, place]);
    folders.set(stage.name ?? String(i), place);
    build(stage, place, folders);
  }
  const image = stages.at(-1);
  check(image, folders.get(image.name ?? String(stages.length - 1)));
  isSound = true;
  say('the image works');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isSound ? 0 : 1;

function makeBase() {
  if (!existsSync(join(base, 'etc'))) {
    say('debootstrap');
    run('debootstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', base]);
  }
  cpSync(process.execPath, join(base, 'usr/local/bin/node'), { dereference: true });
  const modules = join(base, 'usr/local/lib/node_modules');
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(modules, { recursive: true });
  run('cp', ['-a', NPM, join(modules, 'npm')]);
  run('ln', ['-sf', '../lib/node_modules/npm/bin/npm-cli.js', join(base, 'usr/local/bin/npm')]);
  run('ln', ['-sf', '../lib/node_modules/npm/bin/npx-cli.js', join(base, 'usr/local/bin/npx')]);
  for (const file of ['/etc/resolv.conf', '/etc/hosts'])
    if (existsSync(file)) cpSync(file, join(base, file), { dereference: true });
}

/** Stages as instructions; lines that end with a backslash go on. */
function readStages(text) {
  const stages = [];
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  for (const line of lines) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (instruction === 'FROM') {
      stages.push({
        name: / AS (\S+)/.exec(rest)?.[1],
        steps: [],
        env: {},
        user: 'root',
        workdir: '/',
        entrypoint: [],
        cmd: [],
        health: null,
      });
    } else if (instruction !== undefined) stages.at(-1).steps.push([instruction, rest]);
  }
  return stages;
}

function build(stage, place, folders) {
  for (const [instruction, rest] of stage.steps) {
    say(`${instruction} ${rest.slice(0, 100)}`);
    if (instruction === 'RUN') inRoot(place, stage, ['sh', '-c', rest]);
    else if (instruction === 'COPY') copy(stage, place, folders, rest);
    else if (instruction === 'WORKDIR') {
      stage.workdir = rest;
      mkdirSync(join(place, rest), { recursive: true });
    } else if (instruction === 'ENV') {
      for (const pair of rest.split(/\s+/)) stage.env[pair.split('=')[0]] = pair.slice(pair.indexOf('=') + 1);
    } else if (instruction === 'USER') stage.user = rest;
    else if (instruction === 'ENTRYPOINT') stage.entrypoint = JSON.parse(rest);
    else if (instruction === 'CMD') stage.cmd = JSON.parse(rest);
    else if (instruction === 'HEALTHCHECK') stage.health = JSON.parse(rest.slice(rest.indexOf('CMD') + 3));
    else if (!['VOLUME', 'EXPOSE'].includes(instruction))
      throw new Error(`${instruction}: this script does not know it`);
  }
}

function copy(stage, place, folders, rest) {
  const from = /^--from=(\S+)\s+(\S+)\s+(\S+)$/.exec(rest);
  if (from !== null) {
    run('cp', ['-a', join(folders.get(from[1]), from[2]), join(place, from[3])]);
    return;
  }
  if (rest !== '. .') throw new Error(`COPY ${rest}: this script does not know it`);
  const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', join(place, stage.workdir)], { input: archive });
}

function inRoot(place, stage, words) {
  // Where packages come from, and whose certificates are trusted for it, are facts of this machine; the layer does not keep them.
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  const own = [
    [join(homedir(), '.npmrc'), '/root/.npmrc'],
    [certificates ?? '', '/root/certificates.pem'],
  ].filter(([from]) => existsSync(from));
  for (const [from, to] of own) cpSync(from, join(place, to), { dereference: true });
  const trust = certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: '/root/certificates.pem' };
  const command = `mount -t proc proc ${place}/proc && mount --rbind /dev ${place}/dev && cd / && exec chroot ${place} env -C ${stage.workdir} "$@"`;
  run('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', command, 'sh', ...words], {
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      ...trust,
      ...stage.env,
    },
  });
  for (const [, to] of own) rmSync(join(place, to), { force: true });
}

/** The image as a container: a script of its own in its namespaces. */
function check(stage, place) {
  const identity = readFileSync(join(place, 'etc/passwd'), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === stage.user);
  if (identity === undefined || identity[2] === '0')
    throw new Error(`USER ${stage.user}: expected a user without rights`);
  const [, , uid, gid] = identity;
  const client = join(place, 'tmp/use.mjs');
  writeFileSync(client, USE);
  const quote = (words) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const script = `
    set -e
    ip link set lo up
    mount --bind ${place} ${place}
    mount -t proc proc ${place}/proc
    mount --rbind /dev ${place}/dev
    cp ${client} ${folder}/use.mjs
    mount -t tmpfs -o uid=${uid},gid=${gid},mode=700 tmpfs ${place}/data
    mount -t tmpfs -o mode=1777 tmpfs ${place}/tmp
    cp ${folder}/use.mjs ${place}/tmp/use.mjs
    mount -o remount,bind,ro ${place}
    # In a subshell, so that its process id is that of the program.
    inside() { exec chroot --userspec=${uid}:${gid} --groups= ${place} env -i -C ${stage.workdir} HOME=/data "$@"; }
    (inside ${envWords(stage)} GPTJ_API_TOKEN=trial-token-0123456789 ${quote([...stage.entrypoint, ...stage.cmd])}) > ${folder}/log 2>&1 &
    server=$!
    tries=0
    until (inside ${envWords(stage)} ${quote(stage.health)}); do
      tries=$((tries + 1))
      if [ $tries -gt 120 ] || ! kill -0 $server; then cat ${folder}/log; exit 1; fi
      sleep 1
    done
    echo "healthy after $tries tries"
    (inside ${envWords(stage)} node /tmp/use.mjs)
    if (inside ${envWords(stage)} find / -xdev -writable -not -type l -not -path /tmp -not -path /data 2>/dev/null) | grep .; then echo 'these can be written'; exit 1; fi
    kill -TERM $server
    wait $server || { cat ${folder}/log; exit 1; }`;
  run('unshare', ['--mount', '--net', '--pid', '--fork', '--kill-child', 'bash', '-c', script], {
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  });
}

function envWords({ env }) {
  return Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...env })
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function run(command, words, options = {}) {
  const { status, error } = spawnSync(command, words, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}`);
}
