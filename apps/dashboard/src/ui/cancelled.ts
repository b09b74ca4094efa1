/** The exception of a run that its owner ended; the state of its end is `failed`. */
const CANCELLED = 'the run was cancelled';

/** Whether its owner ended the run. */
export function isCancelled(exception: string | null): boolean {
  return exception === CANCELLED;
}
