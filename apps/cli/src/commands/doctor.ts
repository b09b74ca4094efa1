import { type EngineReport, probeEngines, readMachineMemory } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';
import { fitTypes, type TypeFit } from '@gptj-cloud/model-store';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command, CommandContext } from '../command.ts';
import type { Check } from '../doctor/check.ts';
import { checkGpu } from '../doctor/check-gpu.ts';
import { checkEngines, checkMachine } from '../doctor/check-machine.ts';
import { checkModels, checkNetwork, checkSettings, checkStorage } from '../doctor/check-storage.ts';
import { formatBytes } from '../figures.ts';
import { isOn } from '../options.ts';
import { bold, type Output, widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { DATA_DIR_OPTION } from '../store-options.ts';
import { renderTable } from '../table.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'check this machine and the settings of the server',
  about:
    'Shows what gptj serve would run on: machine and limits, engines, GPU packages and drivers, data folder, models, the configured model and its memory, the hub, and which types of GPT-J-6B fit. The exit status is 1 when what is configured cannot work.',
  arguments: [],
  notes: [
    'It changes nothing, and shows no secret.',
    'The libraries of the engines are loaded in a process of their own.',
  ],
  groups: [{ title: 'options', options: [DATA_DIR_OPTION, JSON_OPTION] }],
  examples: [{ line: 'gptj doctor', caption: 'before the first start, and for a report of a problem' }],

  async run(context, options) {
    const { stdout } = context;
    const dataDir = options.values.get('data-dir');
    const env = dataDir === undefined ? context.env : { ...context.env, DATA_DIR: dataDir };
    const { checks, fit } = await examine({ ...context, env });
    const faults = checks.filter(({ state }) => state === 'fault');
    if (isOn(options, 'json')) writeJson(stdout, { ok: faults.length === 0, checks, fit });
    else stdout.write(render(checks, fit, stdout));
    await stdout.drained();
    if (faults.length > 0) {
      throw new Error(
        `${faults.length === 1 ? '1 fault' : `${faults.length} faults`}: ${faults.map(({ name }) => name).join(', ')}`,
      );
    }
  },
};

interface Fit {
  readonly model: string;
  readonly types: readonly TypeFit[];
}

async function examine({ env, signal }: CommandContext): Promise<{
  readonly checks: readonly Check[];
  readonly fit: readonly Fit[];
}> {
  const memory = readMachineMemory();
  const { config, check } = checkSettings(env);
  let report: EngineReport | null = null;
  let failure: string | null = null;
  try {
    report = await probeEngines(env, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    failure = (error as Error).message;
  }
  const model =
    config === null
      ? null
      : await checkModels(env, config, { memory, hasGpu: (report?.llama.backend ?? 'cpu') !== 'cpu' });
  const gpu = await checkGpu(report);
  const checks = [
    ...checkMachine(memory, report, new Date()),
    check,
    ...checkEngines(report, failure),
    ...gpu.checks,
    ...(await checkStorage(config?.dataDir ?? env.DATA_DIR ?? './data')),
    ...(model?.checks ?? []),
    ...(await checkNetwork(env, config)),
  ];
  const fit = [
    { model: 'GPT-J-6B', types: fitTypes(GPTJ_6B, memory) },
    // Half precision is fast on a GPU: where it fits, it loses nothing.
    ...(gpu.memory === null ? [] : [{ model: `GPT-J-6B on ${gpu.memory.name}`, types: fitTypes(GPTJ_6B, gpu.memory) }]),
  ];
  return { checks, fit: model?.fit == null ? fit : [...fit, { model: 'the configured model', types: model.fit }] };
}

const MARKS: Readonly<Record<Check['state'], string>> = { ok: '✓', warning: '!', fault: '✗' };

function render(checks: readonly Check[], fit: readonly Fit[], output: Output): string {
  const sections = [...new Set(checks.map(({ section }) => section))];
  const lists = sections.map((section) => {
    const lines = checks
      .filter((each) => each.section === section)
      .map(({ state, name, text, remedy }) => {
        const advice = remedy === null ? '' : `\n    → ${printable(remedy)}`;
        return `${MARKS[state]} ${printable(name)}: ${printable(text)}${advice}\n`;
      });
    return `${bold(output, section)}\n${lines.join('')}`;
  });
  const tables = fit.map(({ model, types }) => {
    const rows = types.map(({ type, fileBytes, memoryBytes, fits }) => [
      type,
      formatBytes(fileBytes),
      formatBytes(memoryBytes),
      fits ? 'yes' : 'no',
    ]);
    const columns = [
      { title: 'type', isWhole: true },
      { title: 'file', align: 'right' as const },
      { title: 'memory with one full text', align: 'right' as const },
      { title: 'fits now' },
    ];
    return `${bold(output, `types of ${model}`)}\n${renderTable(columns, rows, widthOf(output))}`;
  });
  return [...lists, ...tables].join('\n');
}
