/** Values of the SDK as JSON with the names of the API. */
import type { Output } from '../output.ts';

/** `createdAt` is `created_at`, a date the seconds since 1970, as in replies of the server. */
export function toApi(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(toApi);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [toApiName(name), toApi(field)]));
}

/** The inverse of the SDK's reader: `per1000Tokens` is `per_1000_tokens`, `runs30Days` is `runs_30_days`. */
function toApiName(name: string): string {
  return name.replace(/[A-Z]|\d{2,}/g, (part) => `_${part.toLowerCase()}`);
}

/** One line of JSON for each item. */
export async function writeJsonLines(output: Output, items: readonly unknown[]): Promise<void> {
  for (const item of items) {
    output.write(`${JSON.stringify(toApi(item))}\n`);
    await output.drained();
  }
}

export function writeJson(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(toApi(value))}\n`);
}
