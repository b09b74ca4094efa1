import { currentRequestFigures, type RequestFigures } from '../telemetry/request-figures.ts';
import { requestOrigin } from '../telemetry/request-origin.ts';
import type { DirectEvent, DirectGeneration, GenerationService } from './generation-service.ts';

/** The same service; each generation also names the request that starts it, and adds to its figures. */
export function noteGenerations(service: GenerationService): GenerationService {
  return {
    close: (drainTimeoutMs) => service.close(drainTimeoutMs),
    settled: service.settled,
    get running() {
      return service.running;
    },
    generate(request, signal) {
      // Read here: a reply that is streamed later runs outside of the request.
      const figures = currentRequestFigures();
      const events = service.generate({ ...request, origin: requestOrigin(figures) }, signal);
      return figures === undefined ? events : noted(events, request, figures);
    },
  };
}

async function* noted(
  events: AsyncGenerator<DirectEvent>,
  { model, prompts }: DirectGeneration,
  figures: RequestFigures,
): AsyncGenerator<DirectEvent> {
  const promptOf = (index: number): number => prompts[index]?.prompt.length ?? 0;
  for await (const one of events) {
    if (one.type === 'admitted') figures.model = model;
    if (one.type === 'engine') {
      const { event } = one;
      if (event.type === 'started') figures.promptTokens += promptOf(one.prompt);
      if (event.type === 'tokens') figures.generatedTokens += event.tokens.length;
      if (event.type === 'finished') figures.queueMs = Math.max(figures.queueMs, event.usage.queueMs);
    }
    yield one;
  }
}
