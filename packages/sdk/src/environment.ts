/** Variables of the environment, where the runtime has them: Node, Deno and Bun, but no browser. */
import { isObject } from './json.ts';

/** Undefined for a variable that is empty, and for a runtime without an environment. */
export function environmentVariable(name: string): string | undefined {
  try {
    const runtime: unknown = Reflect.get(globalThis, 'process');
    const environment = isObject(runtime) ? runtime.env : undefined;
    const value: unknown = isObject(environment) ? environment[name] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    // Deno throws where the program may not read the variable.
    return undefined;
  }
}
