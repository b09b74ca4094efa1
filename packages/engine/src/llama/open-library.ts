/** Loads shared libraries, and reports the loader's message where that fails. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';

/**
 * Load a library and those that it depends on, of which each is in the same folder: the last of `paths`, which are in the
 * order of dependencies. Throws `library_missing`.
 *
 * On Linux the last one is loaded first, because the loader then finds the others itself, and a fault in any of them leaves
 * none of them loaded: a copy from another package would share their symbols. They cannot be unloaded, as libggml-base
 * aborts the process when it is loaded a second time.
 */
export function openLibraries<const Paths extends readonly string[]>(
  paths: Paths,
): { readonly [Key in keyof Paths]: koffi.LibraryHandle } {
  const order = process.platform === 'linux' ? paths.toReversed() : paths;
  const opened = new Map(order.map((path) => [path, load(path)]));
  return paths.map((path) => opened.get(path)!) as { readonly [Key in keyof Paths]: koffi.LibraryHandle };
}

function load(path: string): koffi.LibraryHandle {
  try {
    return koffi.load(path, { global: true });
  } catch (cause) {
    throw new ModelError('library_missing', `could not load ${path}: ${loaderWords(cause, path)}`, { cause });
  }
}

/** Why the GPU backends in these folders do not load, usually a missing driver or runtime library. llama.cpp skips them. */
export function gpuFaults(folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) => {
    const file = readdirSync(folder).find((name) => /^(lib)?ggml-(cuda|metal|vulkan)\.(so|dylib|dll)$/.test(name));
    if (file === undefined) return [];
    const path = join(folder, file);
    try {
      koffi.load(path).unload();
      return [];
    } catch (error) {
      return [loaderWords(error, path)];
    }
  });
}

/** The loader's message in one line, without what names only the file itself. */
function loaderWords(error: unknown, path: string): string {
  const [line = ''] = (error as Error).message.split('\n');
  return line.replace(/^Failed to load shared library: /, '').replace(`${path}: `, '');
}
