/** First bytes of files that a failed download saves under the name of a model file. */
const KINDS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^version https:\/\/git-lfs\.github\.com\/spec\//, 'a Git LFS pointer: run `git lfs pull` in the folder'],
  [/^\s*(?:<!doctype html|<html|<\?xml|<head|<body)/i, 'an HTML page: the download was redirected; download it again'],
];

/** Number of bytes that {@link foreignFileName} needs. */
export const FOREIGN_FILE_BYTES = 64;

/** Names a file that is a Git LFS pointer or an HTML page by its first bytes; null for anything else. */
export function foreignFileName(start: Uint8Array): string | null {
  const text = new TextDecoder().decode(start.subarray(0, FOREIGN_FILE_BYTES));
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/**
 * Names a file of plain text, such as an error message that a download stored ("Entry not found"), by its first bytes;
 * null for anything else.
 */
export function plainTextName(start: Uint8Array): string | null {
  const text = new TextDecoder().decode(start.subarray(0, FOREIGN_FILE_BYTES));
  if (text.length < 8 || !/^[\t\n\r\x20-\x7e]+$/.test(text)) return null;
  return `a text that begins with ${JSON.stringify(text.slice(0, 40))}: the download failed; download it again`;
}

/** Names a file by its first bytes, where another kind of file was expected. */
export function fileKind(start: Uint8Array): string {
  const known = foreignFileName(start) ?? checkpointName(start);
  if (known !== null) return known;
  const text = new TextDecoder().decode(start);
  if (start.length === 0) return 'an empty file';
  if (/^[\t\n\r\x20-\x7e\u00a0-\uffff]+$/.test(text))
    return `a text that begins with ${JSON.stringify(text.slice(0, 40))}`;
  const bytes = Array.from(start.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `another file, which begins with the bytes ${bytes.join(' ')}`;
}

/** LLaMA's formats of ggml in 2023. */
const LLAMA_MAGICS: readonly string[] = ['fmgg', 'tjgg', 'algg'];

/** Names the files of a folder that `gptj convert` reads as a whole. */
function checkpointName(start: Uint8Array): string | null {
  const magic = String.fromCharCode(...start.subarray(0, 4));
  if (magic === 'lmgg') return 'a ggml file from before GGUF: convert it';
  if (magic === '\x28\xb5\x2f\xfd') return 'a Zstandard archive: convert it, if it is a checkpoint';
  if (start[0] === 0x50 && start[1] === 0x4b) return 'a ZIP file, as PyTorch saves weights: convert its folder';
  if (LLAMA_MAGICS.includes(String.fromCharCode(...start.subarray(0, 4))))
    return 'a file of llama.cpp from 2023: no GPT-J';
  // The length of the header, then its JSON.
  if (start[8] === 0x7b && start[6] === 0 && start[7] === 0) return 'a safetensors file: convert its folder';
  return null;
}
