import { bold, dim, type Output } from './output.ts';
import { printable } from './printable.ts';

export interface TextPrinterOptions {
  readonly prompt: string;
  /** Show the prompt before its continuation. */
  readonly echo: boolean;
  /** Number of sequences. One is printed while it is generated; several are printed at the end, each under its number. */
  readonly sequences: number;
}

export interface TextPrinter {
  begin(): void;
  /** Print more of the first sequence. Resolves when the output has buffer space again. */
  push(text: string): Promise<void>;
  /** Print every sequence, or the end of a single one. */
  end(texts: readonly string[]): void;
}

/** Prints generated text. It may contain escape sequences: a pipe receives them unchanged, a terminal as visible text. */
export function createTextPrinter(output: Output, { prompt, echo, sequences }: TextPrinterOptions): TextPrinter {
  const shown = (text: string): string => (output.columns === null ? text : printable(text, true));
  const live = sequences === 1;
  return {
    begin() {
      if (echo) output.write(bold(output, shown(prompt)));
    },
    async push(text) {
      if (!live) return;
      output.write(shown(text));
      await output.drained();
    },
    end(texts) {
      if (live) {
        output.write('\n');
        return;
      }
      if (echo) output.write('\n');
      texts.forEach((text, at) => {
        output.write(`${dim(output, `--- ${at + 1} of ${texts.length}`)}\n${shown(text)}\n`);
      });
    },
  };
}
