/**
 * Validated parameters of one `generate` call: plain data, safe to send to another process by structured clone.
 * Made by `parseGenerateParameters` alone.
 */
export interface GenerateConfig {
  readonly doSample: boolean;
  /** Returned sequences. */
  readonly numReturnSequences: number;
  /** Prompt and generated tokens together never exceed this. */
  readonly maxLength: number;
}
