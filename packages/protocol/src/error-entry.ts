/** One error: its HTTP status, its message with `{placeholders}`, and the remedy for the caller. */
export interface ErrorEntry {
  readonly status: number;
  readonly message: string;
  readonly remedy: string;
}
