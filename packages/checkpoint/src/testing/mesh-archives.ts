/** The archives of `fixtures/published/mesh`, also as a plain tar archive and as a folder. Unpacked here by other code than the readers'. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decompress } from 'fzstd';
import { published } from './published-forms.ts';

export const MESH_FOLDER: string = published('mesh');

/** Bytes of the tar archive in a compressed fixture. */
export function tarBytes(name: string): Buffer {
  return Buffer.from(decompress(readFileSync(join(MESH_FOLDER, name))));
}

/** A file with the config and tokenizer of the fixture beside it. */
export function writeBeside(folder: string, name: string, fixture: string, bytes: Uint8Array): string {
  for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(MESH_FOLDER, dirname(fixture), file), join(folder, file));
  }
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A folder with the shards of a tar archive, below `step_383500`. */
export function unpack(folder: string, tar: Buffer): void {
  for (let at = 0; tar[at] !== 0; ) {
    const name = tar.toString('latin1', at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const path = join(folder, name);
    if (name.endsWith('/')) mkdirSync(path, { recursive: true });
    else writeFileSync(path, tar.subarray(at + 512, at + 512 + size));
    at += 512 + 512 * Math.ceil(size / 512);
  }
}
