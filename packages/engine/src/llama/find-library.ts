import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ModelError } from '@gptj-cloud/model';

const PLATFORM_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'linux-x64': ['linux-x64-cuda', 'linux-x64-vulkan', 'linux-x64'],
  'linux-arm64': ['linux-arm64'],
  'darwin-arm64': ['mac-arm64-metal'],
  'darwin-x64': ['mac-x64'],
  'win32-x64': ['win-x64-cuda', 'win-x64-vulkan', 'win-x64'],
  'win32-arm64': ['win-arm64'],
};

/**
 * The folder with llama.cpp's libraries: `GPTJ_LLAMA_LIBRARY`, else that of an installed `@node-llama-cpp/<platform>`
 * package, those for a GPU first. Throws `library_missing`.
 */
export function findLibraryDirectory(): string {
  const given = process.env.GPTJ_LLAMA_LIBRARY;
  if (given) {
    if (!existsSync(given)) {
      throw new ModelError('library_missing', `GPTJ_LLAMA_LIBRARY: no folder ${given}`);
    }
    return given;
  }
  const platform = `${process.platform}-${process.arch}`;
  const packages = PLATFORM_PACKAGES[platform] ?? [];
  const require = createRequire(import.meta.url);
  for (const name of packages) {
    try {
      // The package exports only its entry point, `dist/index.js`; the libraries lie beside that folder.
      const bins = join(dirname(dirname(require.resolve(`@node-llama-cpp/${name}`))), 'bins');
      const folder = readdirSync(bins)
        .map((entry) => join(bins, entry))
        .find((path) => findLibraryFile(path, 'llama') !== null);
      if (folder) return folder;
    } catch {
      // Not installed: try the next one.
    }
  }
  throw new ModelError(
    'library_missing',
    packages.length === 0
      ? `llama.cpp has no prebuilt library for ${platform}: set GPTJ_LLAMA_LIBRARY to a folder with llama.cpp v0.5.0, or use the reference engine`
      : `llama.cpp is not installed for ${platform}: expected the package @node-llama-cpp/${packages.at(-1)}; run npm install without --omit=optional, or set GPTJ_LLAMA_LIBRARY`,
  );
}

/** A library file: `libllama.v0.5.0.so`, `libllama.dylib`, `llama.dll`, …; null when the folder holds none. */
export function findLibraryFile(directory: string, stem: 'llama' | 'ggml' | 'ggml-base'): string | null {
  const pattern = new RegExp(`^(lib)?${stem}(\\.v[0-9.]+)?\\.(so|dylib|dll)$`);
  const name = readdirSync(directory).find((entry) => pattern.test(entry));
  return name === undefined ? null : join(directory, name);
}
