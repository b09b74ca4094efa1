import type { Step, StepResult } from '@gptj-cloud/model';
import type { SchedulerOptions } from '../scheduler-options.ts';
import { NO_MONITOR } from '../work-monitor.ts';
import type { Drafter } from './drafter.ts';
import { LookupDrafter } from './lookup-drafter.ts';
import { ModelDrafter } from './model-drafter.ts';

/** The drafters of a scheduler in the order in which they are asked: first the one without costs. */
export function openDrafters(options: SchedulerOptions): readonly Drafter[] {
  const { draftModel: model = null, mutex, now, monitor = NO_MONITOR, onWarning = () => {} } = options;
  if (model === null) return [new LookupDrafter()];
  const evaluate = (steps: readonly Step[]): Promise<readonly StepResult[]> =>
    mutex.run(() => monitor.evaluation(() => model.evaluate(steps)));
  const onFailure = (reason: string): void => onWarning(`the draft model has failed and drafts no more: ${reason}`);
  return [new LookupDrafter(), new ModelDrafter({ model, evaluate, now, onFailure })];
}
