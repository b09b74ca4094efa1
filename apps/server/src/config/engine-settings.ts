import { integerSetting } from './setting.ts';

/** Limits of time for the engine's process and what waits for it. */
export const engineSettings = {
  MAX_QUEUE_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest time that a direct generation waits for the model before it is refused with 503; 0: no limit. Runs wait in the store instead',
    fallback: 600,
    min: 0,
    max: 86_400,
  }),
  ENGINE_STALL_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest silence of the engine, or of one step of a generation (half of it where the step uses the processor throughout); the engine is then killed and restarted, and the generation at fault fails with `generation_stalled`',
    fallback: 10,
    min: 1,
    max: 3600,
  }),
  ENGINE_EVALUATION_SECONDS: integerSetting({
    group: 'Serving',
    help: 'longest evaluation of one batch by the model; the engine is then killed and restarted',
    fallback: 600,
    min: 1,
    max: 86_400,
  }),
} as const;
