/** What a failure means, and what helps. */
export interface FailureAdvice {
  readonly meaning: string;
  readonly next: string;
  /** Where the next step is done. */
  readonly step: 'again' | 'playground' | 'plan';
}

const ADVICE: Readonly<Record<string, FailureAdvice>> = {
  cancelled: {
    meaning: 'The run was ended on request. What it had computed until then is counted.',
    next: 'Run it again to get a result.',
    step: 'again',
  },
  generation_timed_out: {
    meaning: 'It took longer than the plan allows.',
    next: 'Generate fewer tokens, or choose a plan that allows more time.',
    step: 'plan',
  },
  queue_timed_out: {
    meaning: 'The server was busy for so long that the run did not begin.',
    next: 'Run it again when there is less to do.',
    step: 'again',
  },
  generation_stalled: {
    meaning: 'One step of the generation kept the engine busy for too long.',
    next: 'Use fewer beams, candidates or constraints.',
    step: 'playground',
  },
  model_unavailable: {
    meaning: 'The model of this pipeline could not be loaded. It was not charged.',
    next: 'Run it again later, or with another model. If it fails again, give its id to the operator of the server.',
    step: 'again',
  },
  max_retries: {
    meaning:
      'The server or the engine ended while it was executed, also when it was executed alone. It was not charged.',
    next: 'Run it again. If it fails again, give its id to the operator of the server.',
    step: 'again',
  },
  unsatisfiable: {
    meaning: 'The run does not fit what the server or the plan has.',
    next: 'Shorten the prompt, or generate fewer tokens or sequences.',
    step: 'playground',
  },
  pipeline_fault: {
    meaning: 'The pipeline could not execute this prompt with these parameters.',
    next: 'Change the parameters that the message names.',
    step: 'playground',
  },
};

/** `error` is one of the API's three kinds; the exception may begin with a code that says more. */
export function adviceFor(error: string, exception: string): FailureAdvice {
  const code =
    exception === 'the run was cancelled' ? 'cancelled' : (/^([a-z_]{3,40}): /.exec(exception)?.[1] ?? error);
  return ADVICE[code] ?? ADVICE[error] ?? { meaning: 'The run failed.', next: 'Run it again.', step: 'again' };
}
