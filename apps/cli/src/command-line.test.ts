import assert from 'node:assert/strict';
import { copyFile, link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { commandsOf, isGroup, optionsOf, usageOf } from './command.ts';
import { runCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { chooseModel } from './default-model.ts';
import { checkArguments, findCommand } from './find-command.ts';
import { parseOptions } from './options.ts';
import { recordingOutput } from './testing/recording-output.ts';

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function gptj(args: readonly string[], env: NodeJS.ProcessEnv = {}, columns?: number): Promise<Ran> {
  const size = columns === undefined ? {} : { columns };
  const stdout = recordingOutput(size);
  const stderr = recordingOutput(size);
  const status = await runCommandLine(args, {
    stdout: stdout.output,
    stderr: stderr.output,
    stdin: Readable.from([]),
    env,
    signal: new AbortController().signal,
    now: () => 0,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

test('prints every command for help, and the same as an error without a command', async () => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const { status, stdout } = await gptj(args);
    assert.equal(status, 0);
    for (const { name } of COMMANDS) assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
  }
  const { status, stdout, stderr } = await gptj([]);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /usage/);
});

test('prints every option, default, argument and example of a command for --help and help COMMAND', async () => {
  for (const { path, command } of commandsOf(COMMANDS)) {
    const name = path.join(' ');
    const { status, stdout } = await gptj([...path, '--help']);
    assert.equal(status, 0, name);
    assert.ok(stdout.includes(`gptj ${name} ${usageOf(command)}`.trimEnd()), name);
    for (const { options, namesOnly = false } of command.groups) {
      for (const option of options) {
        assert.ok(stdout.includes(`--${option.name}`), `${name} --${option.name}`);
        if (option.default !== undefined && !namesOnly)
          assert.match(stdout.replace(/\s+/g, ' '), new RegExp(`--${option.name}\\b.*default: `));
      }
    }
    for (const { line } of command.examples) assert.ok(stdout.includes(line), line);
    assert.ok(command.examples.length > 0, name);
    assert.equal((await gptj(['help', ...path])).stdout, stdout);
  }
});

test('prints the commands of a group for --help, and as an error where one is missing', async () => {
  for (const group of COMMANDS) {
    if (!isGroup(group)) continue;
    const { status, stdout } = await gptj([group.name, '--help']);
    assert.equal(status, 0);
    for (const { name } of group.commands) assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
  }
  const missing = await gptj(['admin']);
  assert.deepEqual([missing.status, missing.stdout], [2, '']);
  assert.match(missing.stderr, /gptj admin COMMAND/);
  assert.match(
    (await gptj(['runs', 'lsit'])).stderr,
    /^gptj: runs: "lsit"; did you mean list\?\nTry: gptj runs --help/,
  );
});

test('declares every name of an option of a command once, aliases and refused names included', () => {
  for (const { path, command } of commandsOf(COMMANDS)) {
    const names = command.groups.flatMap(({ options }) =>
      options.flatMap(({ name, short, aliases = [] }) => [name, ...(short === undefined ? [] : [short]), ...aliases]),
    );
    const all = [...names, ...(command.refused ?? []).flatMap((refusal) => refusal.names)];
    assert.deepEqual(
      all.filter((name, at) => all.indexOf(name) !== at),
      [],
      path.join(' '),
    );
  }
});

test('parses the options and arguments of every example', async () => {
  for (const { command, path } of commandsOf(COMMANDS)) {
    for (const { line } of command.examples) {
      assert.ok(line.includes(`gptj ${path[0]}`), line);
      for (const args of commandLinesOf(line)) {
        const found = findCommand(COMMANDS, args);
        assert.ok(!isGroup(found.entry), line);
        const options = parseOptions(optionsOf(found.entry), found.rest, found.entry.refused);
        checkArguments(found.entry, options.positionals);
      }
    }
  }
});

/** The arguments of each call of gptj in a line of shell. */
function commandLinesOf(line: string): readonly (readonly string[])[] {
  return line
    .split(/[|]|\$\(/)
    .map((part) => part.replace(/[<>].*$|\)$/, '').trim())
    .map((part) => [...part.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2] ?? word[3] ?? ''))
    .flatMap((words) => (words.includes('gptj') ? [words.slice(words.indexOf('gptj') + 1)] : []))
    .map((words) => (['cancel', 'follow'].includes(words.at(-1) ?? '') ? [...words, 'run_1'] : words));
}

test('wraps help to the width of the terminal', async () => {
  for (const width of [60, 80, 120]) {
    for (const { path } of commandsOf(COMMANDS)) {
      const { stdout } = await gptj([...path, '--help'], {}, width);
      const examples = stdout.indexOf('examples\n');
      for (const line of stdout.slice(0, examples).split('\n')) assert.ok(line.length <= width, `${width}: ${line}`);
    }
  }
});

test('takes the options of the server before the command as well', async () => {
  const { stderr } = await gptj(['--url', 'http://127.0.0.1:9', '--token=t', 'runs', 'get']);
  assert.match(stderr, /^gptj: expected RUN \(id of the run: run_…\)\nTry: gptj runs get --help/);
});

test('answers commands and options of other programs with the name to use', async () => {
  for (const [line, answer] of [
    ['ps', /gptj runs list --state received,running/],
    ['models', /gptj list/],
    ['download x', /gptj pull gpt-j-6b/],
    ['run x -t 4', /--threads N or --temperature X/],
    ['generate x --repeat-penalty 1.1', /--repetition-penalty/],
    ['run x -m file', /gptj server/],
    ['generate x -c 2048', /context/],
    ['run gpt-j Once', /a server has one model, so no name precedes the prompt/],
    ['login http://127.0.0.1:9 --token t', /--token-stdin/],
  ] as const) {
    const { status, stderr } = await gptj(line.split(' '));
    assert.equal(status, 2, line);
    assert.match(stderr, answer, line);
  }
});

test('prints help for --help among invalid options, but not after --', async () => {
  assert.equal((await gptj(['serve', '--prot', '--help'])).status, 0);
  assert.equal((await gptj(['inspect', '--', '--help'])).status, 1);
});

test('prints the version of the package', async () => {
  assert.match((await gptj(['--version'])).stdout, /^gptj \d+\.\d+\.\d+\n$/);
});

test('refuses an unknown command or option with the nearest name, a pointer to help and status 2', async () => {
  assert.deepEqual(await gptj(['sevre']), {
    status: 2,
    stdout: '',
    stderr: 'gptj: unknown command "sevre"; did you mean serve?\nTry: gptj --help\n',
  });
  assert.deepEqual(await gptj(['generate', 'x', '--tempature', '1']), {
    status: 2,
    stdout: '',
    stderr: 'gptj: unknown option --tempature; did you mean --temperature?\nTry: gptj generate --help\n',
  });
  assert.match(
    (await gptj(['zebra'])).stderr,
    /expected one of serve, worker, generate, chat, pull, list, rm, export, import, /,
  );
  assert.equal((await gptj(['serve', '--port', '99999'])).status, 2);
  assert.equal((await gptj(['convert', 'a', 'b', '--type', 'q3'])).status, 2);
});

test('prints an error on one line with status 1, and its stack with GPTJ_DEBUG=1', async () => {
  const plain = await gptj(['inspect', '/no/such/file']);
  assert.equal(plain.status, 1);
  assert.match(plain.stderr, /^gptj: \/no\/such\/file: .*\n$/);
  const debug = await gptj(['inspect', '/no/such/file'], { GPTJ_DEBUG: '1' });
  assert.match(debug.stderr, /\n {4}at .*\n[\s\S]*caused by Error: ENOENT/);
});

test('makes control characters in a file name visible', async () => {
  const { stderr } = await gptj(['inspect', '/no/\u001b[2Jfile']);
  assert.match(stderr, /^gptj: \/no\/<1b>\[2Jfile: /);
});

test('inspects the embedded model, as tables and as JSON', async () => {
  const file = chooseModel(undefined, {});
  const { stdout } = await gptj(['inspect', file, '--tensors']);
  assert.match(stdout, /^format +gguf, q8_0$/m);
  assert.match(stdout, /^layers +12$/m);
  assert.match(stdout, /^transformer\.h\.0\.attn\.q_proj\.weight +256 × 256 +q8_0 +69\.6 kB$/m);
  const report: unknown = JSON.parse((await gptj(['inspect', file, '--json'])).stdout);
  assert.ok(typeof report === 'object' && report !== null && 'tensorCount' in report && !('tensors' in report));
});

test('convert replaces an existing file only with --overwrite', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const target = join(folder, 'precious.gguf');
  await writeFile(target, 'precious');
  const { status, stderr } = await gptj(['convert', chooseModel(undefined, {}), target, '--type', 'f16']);
  assert.deepEqual([status, stderr], [1, `gptj: ${target} already exists; --overwrite replaces it\n`]);
  assert.equal(await readFile(target, 'utf8'), 'precious');
});

test('convert refuses its own source by any of its names, also with --overwrite', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const source = join(folder, 'model.gguf');
  await copyFile(chooseModel(undefined, {}), source);
  await link(source, join(folder, 'other.gguf'));
  for (const [from, name] of [
    [source, 'model.gguf'],
    [source, 'other.gguf'],
    [folder, 'model.gguf'],
  ] as const) {
    const { status, stderr } = await gptj(['convert', from, join(folder, name), '--overwrite']);
    assert.equal(status, 2);
    assert.match(stderr, /is the source itself: write to another file/);
  }
  assert.deepEqual(await readFile(source), await readFile(chooseModel(undefined, {})));
});

test('generate takes its draft model from --draft-model, then from GPTJ_DRAFT_MODEL, and writes the same text', async () => {
  const prompt = ['generate', 'Once upon a time', '--max-new-tokens', '8'];
  const plain = await gptj(prompt);
  const drafted = await gptj([...prompt, '--draft-model', chooseModel(undefined, {})], {
    GPTJ_DRAFT_MODEL: '/elsewhere',
  });
  assert.deepEqual([drafted.status, drafted.stdout], [0, plain.stdout]);
  assert.match((await gptj(prompt, { GPTJ_DRAFT_MODEL: '/elsewhere' })).stderr, /^gptj: \/elsewhere: /m);
});

test('refuses more threads than there are processors', async () => {
  const { status, stderr } = await gptj(['generate', 'x', '--threads', '100000']);
  assert.equal(status, 2);
  assert.match(stderr, /--threads: expected at most \d+, the processors of this machine, got 100000/);
});

test('generate takes its model from --model, then from GPTJ_MODEL', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-cli-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'broken.gguf');
  await writeFile(file, 'not a model');
  const named = await gptj(['generate', 'x', '--model', file], { GPTJ_MODEL: '/elsewhere' });
  assert.deepEqual([named.status, named.stderr.includes(file)], [1, true]);
  assert.match((await gptj(['generate', 'x'], { GPTJ_MODEL: '/elsewhere' })).stderr, /^gptj: \/elsewhere: /);
});
