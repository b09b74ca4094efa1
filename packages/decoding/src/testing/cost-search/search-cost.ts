import { type CostRequest, mutate, randomRequest } from './cost-request.ts';
import { measureRequest, type RequestCost } from './measure-request.ts';
import type { Draw } from './request-genes.ts';

/** A request and what it took. */
export interface Measured {
  readonly request: CostRequest;
  readonly cost: RequestCost;
}

export interface SearchOptions {
  readonly draw: Draw;
  /** Evaluations of each request. */
  readonly evaluations: number;
  /** What the search maximises. */
  readonly objective: (cost: RequestCost) => number;
  /** Share of requests that are random; the others are neighbours of the costliest. */
  readonly random: number;
  /** Number of costliest requests from which neighbours are made, of the same genes one. */
  readonly kept: number;
}

/** Measures request after request without end: random ones, and neighbours of the costliest so far. */
export function* searchCost({ draw, evaluations, objective, random, kept }: SearchOptions): Generator<Measured> {
  const costliest = new Map<string, Measured>();
  for (;;) {
    const parent = [...costliest.values()][Math.floor(draw() * costliest.size)];
    const request = parent === undefined || draw() < random ? randomRequest(draw) : mutate(parent.request, draw);
    const measured = { request, cost: measureRequest(request, evaluations) };
    const genes = Object.keys(request.genes).sort().join();
    const former = costliest.get(genes);
    if (former === undefined || objective(former.cost) < objective(measured.cost)) costliest.set(genes, measured);
    if (costliest.size > kept) {
      const least = [...costliest].reduce((a, b) => (objective(b[1].cost) < objective(a[1].cost) ? b : a));
      costliest.delete(least[0]);
    }
    yield measured;
  }
}
