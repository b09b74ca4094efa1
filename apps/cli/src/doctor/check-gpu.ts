import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EngineReport,
  type GpuMemory,
  largestGpuMemory,
  type NvidiaGpu,
  type RunProgram,
  readNvidiaGpus,
  runProgram,
} from '@gptj-cloud/engine';
import { type Check, ok, warning } from './check.ts';

/** GPU code that `@node-llama-cpp/linux-x64-cuda` 3.22.1 contains; for others the driver compiles it at the first start. */
const NATIVE_CAPABILITIES: ReadonlySet<string> = new Set(['8.6', '8.9', '12.0', '12.1']);
/** Libraries that the CUDA packages need and do not contain. */
const RUNTIMES = [
  { cuda: '13', package: 'linux-x64-cuda', files: ['libcudart.so.13', 'libcublas.so.13'] },
  { cuda: '12', package: 'linux-x64-cuda-ext', files: ['libcudart.so.12', 'libcublas.so.12'] },
] as const;

/** The checks, and the memory of the GPU with the most free. */
export interface GpuChecks {
  readonly checks: readonly Check[];
  readonly memory: GpuMemory | null;
}

/** Packages, NVIDIA GPUs with their driver, and the runtime libraries of CUDA. */
export async function checkGpu(report: EngineReport | null, run: RunProgram = runProgram): Promise<GpuChecks> {
  const gpus = await readNvidiaGpus(run);
  return { checks: await checksOf(gpus, report, run), memory: largestGpuMemory(gpus) };
}

async function checksOf(
  gpus: readonly NvidiaGpu[],
  report: EngineReport | null,
  run: RunProgram,
): Promise<readonly Check[]> {
  const packages = (report?.packages ?? []).filter(({ backend }) => backend !== 'cpu');
  return [
    ...gpus.map(gpuCheck),
    ...packages.map((each) => packageCheck(each, gpus.length > 0)),
    ...(process.platform === 'linux' &&
    (gpus.length > 0 || packages.some((each) => each.isInstalled && each.backend === 'cuda'))
      ? await runtimeChecks(run)
      : []),
    ...(gpus.length === 0 ? [ok('gpu', 'NVIDIA', 'nvidia-smi reports no GPU')] : []),
  ];
}

function gpuCheck({ name, capability, totalMib, freeMib, driver }: NvidiaGpu): Check {
  const code = NATIVE_CAPABILITIES.has(capability)
    ? 'native code'
    : 'its code is compiled at the first start, which takes minutes, and kept in ~/.nv/ComputeCache (CUDA_CACHE_PATH)';
  return ok(
    'gpu',
    name,
    `compute capability ${capability}, ${freeMib} of ${totalMib} MiB free, driver ${driver}; ${code}`,
  );
}

function packageCheck(each: EngineReport['packages'][number], hasGpu: boolean): Check {
  if (each.isInstalled) {
    return each.problem === null
      ? ok('gpu', each.package, `installed in ${each.directory}`)
      : warning('gpu', each.package, each.problem, 'install the release that this version of gptj names');
  }
  if (hasGpu && each.backend === 'cuda') {
    return warning('gpu', each.package, 'not installed', `npm install --no-save ${each.package}@3.22.1 (143 MB)`);
  }
  return ok('gpu', each.package, 'not installed');
}

async function runtimeChecks(run: RunProgram): Promise<readonly Check[]> {
  const cached = (await run('ldconfig', ['-p'])) ?? (await run('/sbin/ldconfig', ['-p'])) ?? '';
  const folders = cudaFolders();
  const place = (file: string): string | null => {
    const line = cached.split('\n').find((each) => each.trim().startsWith(`${file} `));
    return line?.split('=> ')[1]?.trim() ?? folders.map((folder) => join(folder, file)).find(existsSync) ?? null;
  };
  const found = RUNTIMES.map(({ cuda, files }) => ({ cuda, files, places: files.map(place) }));
  const isAnyComplete = found.some(({ places }) => places.every((each) => each !== null));
  return found.map(({ cuda, files, places }) => {
    const missing = files.filter((_, i) => places[i] === null);
    if (missing.length === 0) return ok('gpu', `CUDA ${cuda} runtime`, places.join(', '));
    const text = `${missing.join(' and ')} not found`;
    if (isAnyComplete) return ok('gpu', `CUDA ${cuda} runtime`, text);
    const remedy = `apt install cuda-libraries-${cuda}-0, or pip install nvidia-cublas nvidia-cuda-runtime and name their folders in LD_LIBRARY_PATH`;
    return warning('gpu', `CUDA ${cuda} runtime`, text, cuda === '13' ? remedy : null);
  });
}

/** Where CUDA's installers put libraries that the loader does not search by itself. */
function cudaFolders(): readonly string[] {
  const own = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  try {
    const cuda = readdirSync('/usr/local').filter((name) => name.startsWith('cuda'));
    return [...own, ...cuda.flatMap((name) => [`/usr/local/${name}/lib64`, `/usr/local/${name}/lib`])];
  } catch {
    return own;
  }
}
