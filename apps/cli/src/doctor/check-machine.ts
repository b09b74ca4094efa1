import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import type { EngineReport, MachineMemory } from '@gptj-cloud/engine';
import { gigabytes } from '@gptj-cloud/engine';
import { describeNodeRelease } from '@gptj-cloud/server';
import { version } from '../version.ts';
import { type Check, fault, ok, warning } from './check.ts';

/** Version of gptj and Node, processor, memory. */
export function checkMachine(memory: MachineMemory, report: EngineReport | null, now: Date): readonly Check[] {
  const old = describeNodeRelease(process.versions.node, now);
  const { totalBytes, freeBytes, isLimited } = memory;
  const cores = report === null ? '' : `, ${report.usableCores} usable cores`;
  const limit = isLimited ? ' (the limit of the container or service)' : '';
  return [
    ok('program', 'gptj', version()),
    old === null ? ok('program', 'node', process.versions.node) : warning('program', 'node', old),
    ok('machine', 'system', `${process.platform}-${process.arch}`),
    ok('machine', 'processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} threads${cores}`),
    ok('machine', 'memory', `${gigabytes(freeBytes)} free of ${gigabytes(totalBytes)}${limit}`),
    ...hugePages(),
  ];
}

function hugePages(): readonly Check[] {
  try {
    const text = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
    return [ok('machine', 'huge pages', /\[(\w+)\]/.exec(text)?.[1] ?? text.trim())];
  } catch {
    return [];
  }
}

/** What computes, and why an engine cannot. `failure`: the libraries could not be tried. */
export function checkEngines(report: EngineReport | null, failure: string | null): readonly Check[] {
  if (report === null)
    return [fault('engines', 'libraries', failure ?? 'not tried', 'gptj serve --engine reference needs none')];
  const { kernels, llama } = report;
  const own =
    kernels.problem === null
      ? ok('engines', 'kernels', `this project's own, ${kernels.instructionSet}, self-test passed`)
      : warning('engines', 'kernels', kernels.problem);
  // One of the two is enough.
  const state = kernels.problem === null ? warning : fault;
  const other =
    llama.problem === null
      ? ok('engines', 'llama.cpp', `${llama.version}, on ${llama.backend}, in ${llama.directory}`)
      : state('engines', 'llama.cpp', llama.problem, 'npm install without --omit=optional');
  return [own, other, ...llama.warnings.map((text) => warning('engines', 'llama.cpp', text))];
}
