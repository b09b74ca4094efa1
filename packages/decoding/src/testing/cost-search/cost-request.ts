import type { TokenId } from '@gptj-cloud/model';
import { type Draw, GENES, PROMPTS } from './request-genes.ts';

/** Rows of logits that a model might give. */
const LOGITS = ['spread', 'flat', 'equal', 'ascending', 'peaked'] as const;

/** One point of the search. */
export interface CostRequest {
  /** Parameters by gene. */
  readonly genes: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly promptLength: number;
  /** Index in `PROMPTS`. */
  readonly promptKind: number;
  readonly logits: (typeof LOGITS)[number];
}

const NAMES = Object.keys(GENES);

export function randomRequest(draw: Draw): CostRequest {
  const count = 1 + Math.floor(draw() * 8);
  const genes: Record<string, Record<string, unknown>> = {};
  for (let at = 0; at < count; at++) {
    const name = NAMES[Math.floor(draw() * NAMES.length)]!;
    genes[name] = GENES[name]!(draw);
  }
  return { genes, ...randomInput(draw) };
}

/** A neighbour: one gene more, one less, or one drawn again; or another prompt or other logits. */
export function mutate(request: CostRequest, draw: Draw): CostRequest {
  const genes = { ...request.genes };
  const names = Object.keys(genes);
  const roll = draw();
  if (roll < 0.15) return { ...request, ...randomInput(draw) };
  if (roll < 0.35 && names.length > 1) delete genes[names[Math.floor(draw() * names.length)]!];
  else {
    const among = roll < 0.65 ? names : NAMES;
    const name = among[Math.floor(draw() * among.length)] ?? NAMES[0]!;
    genes[name] = GENES[name]!(draw);
  }
  return { ...request, genes };
}

export function parametersOf({ genes }: CostRequest): Record<string, unknown> {
  return Object.assign({ max_new_tokens: 100 }, ...Object.values(genes)) as Record<string, unknown>;
}

export function promptOf({ promptKind, promptLength }: CostRequest): TokenId[] {
  return PROMPTS[promptKind]!(promptLength);
}

function randomInput(draw: Draw): Omit<CostRequest, 'genes'> {
  return {
    promptLength: [1, 64, 1200, 1900][Math.floor(draw() * 4)]!,
    promptKind: Math.floor(draw() * PROMPTS.length),
    logits: LOGITS[Math.floor(draw() * LOGITS.length)]!,
  };
}
