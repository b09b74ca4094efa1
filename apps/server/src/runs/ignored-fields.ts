import { nearestName } from '@gptj-cloud/decoding';
import { runCreateSchema } from '@gptj-cloud/protocol';

const KNOWN = Object.keys(runCreateSchema.shape);
/** Maximum number of warnings; a body may have thousands of fields. */
const MAX_NAMED = 20;
const MAX_NAME = 80;

/** A warning for each unknown field of a run's body: Pipeline Cloud ignored them; the warning shows typing errors. */
export function ignoredFields(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !KNOWN.includes(name));
  return unknown.slice(0, MAX_NAMED).map((name) => {
    const nearest = nearestName(name, KNOWN);
    return `${name.slice(0, MAX_NAME)} is ignored: it is no field of a run${nearest === null ? '' : ` (did you mean ${nearest}?)`}`;
  });
}
