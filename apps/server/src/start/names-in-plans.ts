import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { servedModelName } from '../metering/plans/served-model.ts';
import type { ServedModel } from './open-models.ts';

/** The names in plans of the models beside the first, by what requests name: the model, or its pipeline. */
export function namesInPlans(models: readonly ServedModel[]): ReadonlyMap<string, string> {
  return new Map(
    models.flatMap(({ engine: { info } }) => {
      const name = servedModelName(info);
      return [info.modelName, pipelineOf(info.modelName, false).id].map((each) => [each, name] as const);
    }),
  );
}
