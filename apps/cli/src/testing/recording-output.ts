import type { Output } from '../output.ts';

/** An `Output` that records its text, for tests. */
export function recordingOutput(options: { readonly columns?: number; readonly colours?: boolean }): {
  readonly output: Output;
  readonly text: () => string;
} {
  const written: string[] = [];
  return {
    output: {
      write: (text) => {
        written.push(text);
      },
      drained: () => Promise.resolve(),
      columns: options.columns ?? null,
      colours: options.colours ?? false,
    },
    text: () => written.join(''),
  };
}
