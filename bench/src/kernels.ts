import { availableParallelism } from 'node:os';
import { instructionSetsUpTo, loadKernels, Measurements, type ProductShape, startThreads } from '@gptj-cloud/kernels';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** The matrices of a GPT-J-6B layer, [outputs, inputs]. */
const SHAPES: readonly (readonly [outputs: number, inputs: number])[] = [
  [28672, 4096], // q, k, v and fc_in
  [4096, 4096], // out
  [4096, 16384], // fc_out
];
const TYPES: readonly ProductShape['type'][] = ['q4_0', 'q8_0', 'f16'];
const ROWS = [1, 2, 4, 8, 16, 32, 128];

/**
 * Every product of a layer with 1 to 128 rows, as shares of what the machine can do: of the multiplier's products a second,
 * and of the bytes a second that a loop reads. Both loops run before every measurement, because the limits move within
 * seconds on a shared machine.
 */
export function benchKernels({
  threads = availableParallelism(),
  rounds = 7,
}: {
  threads?: number;
  rounds?: number;
}): void {
  const library = loadKernels();
  const pool = startThreads(library, threads);
  for (const set of instructionSetsUpTo(library.fastest)) {
    const measurements = new Measurements(library, pool, set);
    console.log(`\n${set}, ${pool.threads} threads\n`);
    console.log(
      table(
        ['weights', 'rows', 'GMAC/s', 'of the multiplier', 'GB/s of weights', 'of the read loop', 'time of one row'],
        rowsOf(measurements, rounds),
      ),
    );
    measurements.free();
  }
  pool.close();
}

function rowsOf(measurements: Measurements, rounds: number): readonly (readonly string[])[] {
  return TYPES.flatMap((type) => {
    const products = SHAPES.map(([outputs, inputs]) => measurements.openProduct({ type, outputs, inputs }));
    const bytes = products.reduce((sum, product) => sum + product.bytes, 0);
    const macs = SHAPES.reduce((sum, [outputs, inputs]) => sum + outputs * inputs, 0);
    let ofOne = 0;
    const rows = ROWS.map((count) => {
      const rates: number[] = [];
      const ofMultiplier: number[] = [];
      const ofRead: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const multiplier = measurements.multiplier();
        const read = measurements.read();
        const seconds = products.reduce((sum, product) => sum + product.time(count), 0);
        rates.push(seconds);
        ofMultiplier.push((macs * count) / seconds / 1e9 / multiplier);
        ofRead.push(bytes / seconds / 1e9 / read);
      }
      const seconds = median(rates);
      if (count === 1) ofOne = seconds;
      return [
        type,
        String(count),
        ((macs * count) / seconds / 1e9).toFixed(0),
        type === 'f16' ? '' : median(ofMultiplier).toFixed(3),
        (bytes / seconds / 1e9).toFixed(1),
        median(ofRead).toFixed(3),
        `× ${(seconds / ofOne).toFixed(2)}`,
      ];
    });
    for (const product of products) product.free();
    return rows;
  });
}
