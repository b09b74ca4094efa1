/**
 * What a request needs that not every engine has. Engines of our own honour every parameter, completions servers differ: workers with
 * different engines leave each other the requests accordingly.
 */
import type { GenerateConfig } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { EngineInfo } from '../engine.ts';
import { type RemoteLimits, refusedParameters } from './remote-parameters.ts';

export interface RequestNeed {
  /** One of `CAPABILITIES`. */
  readonly capability: string;
  /** Those that need it. */
  readonly parameters: readonly string[];
}

/** An engine of our own. */
const OWN = 'own';
/** What completions servers differ in. */
const FLAGS = ['deterministic', 'logprobs'] as const;
type Flag = (typeof FLAGS)[number];

/** The default of vLLM's `--max-logprobs`. A request for more is left to engines of our own. */
const USUAL_LOGPROBS = 20;

function combined(flags: readonly Flag[]): string {
  return flags.join('+');
}

/** Every choice of flags but none, in their order. */
function choices(flags: readonly Flag[]): readonly string[] {
  return Array.from({ length: 2 ** flags.length - 1 }, (_, bits) =>
    combined(flags.filter((_flag, at) => ((bits + 1) >> at) % 2 === 1)),
  );
}

/** All that a request may need. */
export const CAPABILITIES: readonly string[] = [OWN, ...choices(FLAGS)];

/** What an engine has of them. */
export function capabilitiesOf({ remote }: Pick<EngineInfo, 'remote'>): readonly string[] {
  if (remote === undefined) return CAPABILITIES;
  const has: Readonly<Record<Flag, boolean>> = {
    deterministic: remote.deterministic,
    logprobs: remote.maxLogprobs >= USUAL_LOGPROBS,
  };
  return choices(FLAGS.filter((flag) => has[flag]));
}

/** Null: every engine honours the request. `eosTokenIds`: those of the model. */
export function needOf(config: GenerateConfig, eosTokenIds: readonly TokenId[]): RequestNeed | null {
  const refused = (limits: Partial<RemoteLimits>): readonly string[] =>
    refusedParameters(config, { maxLogprobs: USUAL_LOGPROBS, deterministic: true, eosTokenIds, ...limits }).map(
      ({ parameter }) => parameter,
    );
  const own = refused({});
  if (own.length > 0) return { capability: OWN, parameters: own };
  const by: Readonly<Record<Flag, readonly string[]>> = {
    deterministic: refused({ deterministic: false }),
    logprobs: refused({ maxLogprobs: 0 }),
  };
  const flags = FLAGS.filter((flag) => by[flag].length > 0);
  return flags.length === 0 ? null : { capability: combined(flags), parameters: flags.flatMap((flag) => by[flag]) };
}
