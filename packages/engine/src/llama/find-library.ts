/**
 * Where llama.cpp's prebuilt libraries are. The npm packages `@node-llama-cpp/<platform>[-<backend>]` hold them in
 * `bins/<platform>[-<backend>]/`, in files named for the backend: `libllama.v0.5.0.so` in the CPU package,
 * `libllama.cuda.v0.5.0.so`, `libllama.metal.v0.5.0.dylib`, `llama.vulkan.v0.5.0.dll` in the others. Every package
 * contains the CPU kernels as well, so a library with a GPU backend also runs on a machine without that GPU.
 *
 * The CUDA library of `@node-llama-cpp/<platform>-cuda` needs the runtime of CUDA 13. One that needs that of CUDA 12 is in
 * `@node-llama-cpp/<platform>-cuda-ext`, in `bins/<platform>-cuda/fallback/`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ModelError } from '@gptj-cloud/model';
import { SUPPORTED_RELEASE } from './native-structs.ts';

/** A compute backend: the CPU, or one of llama.cpp's GPU backends. */
export type Backend = 'cpu' | 'cuda' | 'metal' | 'vulkan';

export interface FoundLibrary {
  /** The folder with libllama, libggml and the backends. */
  readonly directory: string;
  /** The backend to use; `cpu` when a library with a GPU backend is to run without it. */
  readonly backend: Backend;
  /** One line for every package or setting that could not be used, with the reason. */
  readonly warnings: readonly string[];
}

export interface FindLibraryOptions {
  /** `GPTJ_LLAMA_LIBRARY`: a folder, instead of an installed package. `GPTJ_LLAMA_BACKEND`: `auto` or a {@link Backend}. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `process.platform` and `process.arch`, joined by a hyphen. */
  readonly platform: string;
  /** File or module URL from which packages are resolved. */
  readonly from: string | URL;
  /** Reasons by folder of packages that were found and could not be loaded. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** What is there of one package. */
export interface EnginePackage {
  readonly package: string;
  readonly backend: Backend;
  readonly isInstalled: boolean;
  /** The folder with the libraries; null where they are missing. */
  readonly directory: string | null;
  /** Why it cannot be used; null where it can be tried. */
  readonly problem: string | null;
}

interface Candidate {
  /** Package name below `@node-llama-cpp/`. */
  readonly name: string;
  readonly backend: Backend;
}

const BACKENDS: readonly Backend[] = ['cpu', 'cuda', 'metal', 'vulkan'];

/** In the order in which `auto` tries them. */
const CANDIDATES: Readonly<Record<string, readonly Candidate[]>> = {
  'linux-x64': [
    { name: 'linux-x64-cuda', backend: 'cuda' },
    { name: 'linux-x64-vulkan', backend: 'vulkan' },
    { name: 'linux-x64', backend: 'cpu' },
  ],
  'linux-arm64': [{ name: 'linux-arm64', backend: 'cpu' }],
  'darwin-arm64': [{ name: 'mac-arm64-metal', backend: 'metal' }],
  'darwin-x64': [{ name: 'mac-x64', backend: 'cpu' }],
  'win32-x64': [
    { name: 'win-x64-cuda', backend: 'cuda' },
    { name: 'win-x64-vulkan', backend: 'vulkan' },
    { name: 'win-x64', backend: 'cpu' },
  ],
  'win32-arm64': [{ name: 'win-arm64', backend: 'cpu' }],
};

/**
 * Find the library. `GPTJ_LLAMA_BACKEND` prefers one backend; when its package is not installed or not of the supported
 * release, the CPU is used and a warning says why. Throws `library_missing` when no package is left, `invalid_config` for
 * an unknown backend.
 */
export function findLibrary({ env, platform, from, refused }: FindLibraryOptions): FoundLibrary {
  const wanted = parseBackend(env.GPTJ_LLAMA_BACKEND);
  const folder = env.GPTJ_LLAMA_LIBRARY;
  if (folder) {
    if (!existsSync(folder)) throw new ModelError('library_missing', `GPTJ_LLAMA_LIBRARY: no folder ${folder}`);
    return { directory: folder, backend: wanted ?? backendIn(folder), warnings: [] };
  }
  const candidates = CANDIDATES[platform] ?? [];
  const warnings: string[] = [];
  if (wanted !== null && !candidates.some(({ backend }) => backend === wanted) && wanted !== 'cpu') {
    warnings.push(`GPTJ_LLAMA_BACKEND: llama.cpp has no ${wanted} library for ${platform}; the CPU is used`);
  }
  for (const candidate of inOrder(candidates, wanted)) {
    const found = withoutRefused(candidate, findPackage(candidate, from), refused);
    if ('directory' in found) {
      const isWanted = wanted === null || wanted === candidate.backend;
      return { directory: found.directory, backend: isWanted ? candidate.backend : 'cpu', warnings };
    }
    // A GPU package that is not installed is no fault unless it was asked for.
    if (wanted === candidate.backend && wanted !== 'cpu') warnings.push(`${found.problem}; the CPU is used`);
    else if (!found.isAbsent) warnings.push(found.problem);
  }
  throw new ModelError('library_missing', missingMessage(platform, candidates, warnings));
}

function parseBackend(value: string | undefined): Backend | null {
  if (value === undefined || value === '' || value === 'auto') return null;
  const backend = BACKENDS.find((name) => name === value);
  if (backend !== undefined) return backend;
  throw new ModelError(
    'invalid_config',
    `GPTJ_LLAMA_BACKEND: expected auto, ${BACKENDS.join(', ')}, got ${JSON.stringify(value)}`,
  );
}

/** The wanted backend, then the CPU, then libraries with another GPU backend, of which only the CPU kernels are used. */
function inOrder(candidates: readonly Candidate[], wanted: Backend | null): readonly Candidate[] {
  if (wanted === null) return candidates;
  const rank = ({ backend }: Candidate): number => (backend === wanted ? 0 : backend === 'cpu' ? 1 : 2);
  return [...candidates].sort((a, b) => rank(a) - rank(b));
}

/** The packages for a platform, in the order in which `auto` tries them. */
export function listPackages(platform: string, from: string | URL): readonly EnginePackage[] {
  return (CANDIDATES[platform] ?? []).map((candidate) => {
    const found = findPackage(candidate, from);
    const isFound = 'directory' in found;
    return {
      package: `@node-llama-cpp/${candidate.name}`,
      backend: candidate.backend,
      isInstalled: isFound || !found.isAbsent,
      directory: isFound ? found.directory : null,
      problem: isFound ? null : found.problem,
    };
  });
}

/** Folders with builds of a backend for older drivers, which extend an installed package. */
export function findFallbacks(platform: string, backend: Backend, from: string | URL): readonly string[] {
  const candidate = CANDIDATES[platform]?.find((each) => each.backend === backend);
  if (backend !== 'cuda' || candidate === undefined) return [];
  const bins = findBins(`@node-llama-cpp/${candidate.name}-ext`, from);
  const folder = bins === null ? null : join(bins, candidate.name, 'fallback');
  return folder !== null && existsSync(folder) ? [folder] : [];
}

type PackageSearch = { readonly directory: string } | { readonly problem: string; readonly isAbsent: boolean };

function findPackage({ name }: Candidate, from: string | URL): PackageSearch {
  const packageName = `@node-llama-cpp/${name}`;
  const bins = findBins(packageName, from);
  if (bins === null) return { problem: `${packageName} is not installed`, isAbsent: true };
  const directory = join(bins, name);
  const library = existsSync(directory) ? findLibraryFile(directory, 'llama') : null;
  if (library === null) return { problem: `${packageName}: found no libllama in ${directory}`, isAbsent: false };
  const release = /\.(v[0-9.]+[0-9])\./.exec(library)?.[1] ?? SUPPORTED_RELEASE;
  if (release === SUPPORTED_RELEASE) return { directory };
  return { problem: `${packageName}: expected llama.cpp ${SUPPORTED_RELEASE}, found ${release}`, isAbsent: false };
}

/** The folder `bins` of an installed package. It exports only its entry point, `dist/index.js`; `bins` is beside that folder. */
function findBins(packageName: string, from: string | URL): string | null {
  try {
    return join(dirname(dirname(createRequire(from).resolve(packageName))), 'bins');
  } catch {
    return null;
  }
}

function withoutRefused(
  { name }: Candidate,
  found: PackageSearch,
  refused: ReadonlyMap<string, string> = new Map(),
): PackageSearch {
  const reason = 'directory' in found ? refused.get(found.directory) : undefined;
  return reason === undefined ? found : { problem: `@node-llama-cpp/${name}: ${reason}`, isAbsent: false };
}

function missingMessage(platform: string, candidates: readonly Candidate[], warnings: readonly string[]): string {
  const last = candidates.at(-1);
  if (last === undefined) {
    return `llama.cpp has no prebuilt library for ${platform}: set GPTJ_LLAMA_LIBRARY to a folder with llama.cpp ${SUPPORTED_RELEASE}, or use the reference engine`;
  }
  const reasons = warnings.length === 0 ? '' : ` (${warnings.join('; ')})`;
  return `llama.cpp is not installed for ${platform}: expected the package @node-llama-cpp/${last.name}; run npm install without --omit=optional, or install the gptj-cloud package for ${platform}, or set GPTJ_LLAMA_LIBRARY${reasons}`;
}

/** The backend that a folder's file names state. */
function backendIn(directory: string): Backend {
  const name = findLibraryFile(directory, 'llama') ?? '';
  return BACKENDS.find((backend) => name.includes(`.${backend}.`)) ?? 'cpu';
}

/** A library file: `libllama.v0.5.0.so`, `libllama.cuda.v0.5.0.so`, `llama.dll`, …; null when the folder holds none. */
export function findLibraryFile(directory: string, stem: 'llama' | 'ggml' | 'ggml-base'): string | null {
  const pattern = new RegExp(`^(lib)?${stem}(\\.(cuda|metal|vulkan))?(\\.v[0-9.]+)?\\.(so|dylib|dll)$`);
  const name = readdirSync(directory).find((entry) => pattern.test(entry));
  return name === undefined ? null : join(directory, name);
}
