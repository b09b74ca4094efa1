import { nearestName } from '@gptj-cloud/decoding';
import { runCreateSchema } from '@gptj-cloud/protocol';

const KNOWN = Object.keys(runCreateSchema.shape);
/** Fields that are named; a body may hold thousands. */
const MAX_NAMED = 20;
const MAX_NAME = 80;

/** A warning for each unknown field of a run's body: the original API ignored them, but a typing error should show. */
export function ignoredFields(names: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !KNOWN.includes(name));
  return unknown.slice(0, MAX_NAMED).map((name) => {
    const nearest = nearestName(name, KNOWN);
    return `${name.slice(0, MAX_NAME)} is ignored: it is no field of a run${nearest === null ? '' : ` (did you mean ${nearest}?)`}`;
  });
}
