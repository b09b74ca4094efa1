import { bold, dim, type Output } from './output.ts';
import { printable } from './printable.ts';

export interface TextPrinterOptions {
  readonly prompt: string;
  /** Show the prompt before its continuation. */
  readonly echo: boolean;
  /** Sequences that will come. One is shown as it is written; several each under its number when all are there. */
  readonly sequences: number;
}

export interface TextPrinter {
  begin(): void;
  /** More of the first sequence. Resolves when the reader has taken it. */
  push(text: string): Promise<void>;
  /** Every sequence, whole. */
  end(texts: readonly string[]): void;
}

/** Shows generated text. What a model says may hold escape sequences: a pipe gets them as they are, a terminal does not. */
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
