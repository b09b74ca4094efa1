// Hosts of a trial in network namespaces of Linux, joined by a bridge. All of it is in a namespace of this process, and gone with it.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const INSIDE = 'GPTJ_TRIAL_INSIDE';
const NETWORK = '10.77.0';

/** The address of the trial itself, where its PostgreSQL listens. */
export const TRIAL_ADDRESS = `${NETWORK}.1`;
export const NETWORK_RANGE = `${NETWORK}.0/24`;

/** Continue in a new network namespace; the script that is not there yet ends here, with the status of the other one. */
export function enterNetwork(script) {
  if (process.env[INSIDE] !== undefined) {
    // Names of namespaces are files, which others on this machine need not see.
    execFileSync('mkdir', ['-p', '/run/netns']);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run/netns']);
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', 'trial', 'type', 'bridge');
    ip('addr', 'add', `${TRIAL_ADDRESS}/24`, 'dev', 'trial');
    ip('link', 'set', 'trial', 'up');
    return;
  }
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root');
  const words = ['--net', '--mount', process.execPath, fileURLToPath(script), ...process.argv.slice(2)];
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exit(status ?? 1);
}

/** A host with one address. `number` from 11 on. */
export function addHost(name, number) {
  const address = `${NETWORK}.${number}`;
  ip('netns', 'add', name);
  ip('link', 'add', `to-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('link', 'set', `to-${name}`, 'master', 'trial', 'up');
  ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
  const drop = (action, from) => {
    const peer = from === undefined ? [] : ['-s', from];
    const target = from === undefined ? [] : ['-d', from];
    inHost('iptables', action, 'INPUT', '-i', 'eth0', ...peer, '-j', 'DROP');
    inHost('iptables', action, 'OUTPUT', '-o', 'eth0', ...target, '-j', 'DROP');
  };
  const inHost = (...words) => execFileSync('ip', ['netns', 'exec', name, ...words], { stdio: 'pipe' });
  return {
    name,
    address,
    /** Words before a command that is to be executed there. */
    prefix: ['ip', 'netns', 'exec', name],
    /** Lose every packet, or those from and to one address. */
    cutOff: (from) => drop('-A', from),
    rejoin: (from) => drop('-D', from),
  };
}

function ip(...words) {
  execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
}
