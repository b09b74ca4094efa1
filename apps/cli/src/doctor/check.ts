/** One fact that `gptj doctor` has found. */
export interface Check {
  readonly section: 'program' | 'machine' | 'engines' | 'gpu' | 'storage' | 'model' | 'network';
  readonly name: string;
  /** `fault`: what is configured cannot work. `warning`: it works, worse than it could. */
  readonly state: 'ok' | 'warning' | 'fault';
  readonly text: string;
  /** What to do about it; null where there is nothing to do. */
  readonly remedy: string | null;
}

export function ok(section: Check['section'], name: string, text: string): Check {
  return { section, name, state: 'ok', text, remedy: null };
}

export function warning(section: Check['section'], name: string, text: string, remedy: string | null = null): Check {
  return { section, name, state: 'warning', text, remedy };
}

export function fault(section: Check['section'], name: string, text: string, remedy: string | null = null): Check {
  return { section, name, state: 'fault', text, remedy };
}
