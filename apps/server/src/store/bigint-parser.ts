import pg from 'pg';

/** Parse int8 columns as numbers where that is exact, else as bigints, on all connections of this process. */
export function readBigintsAsNumbers(): void {
  pg.types.setTypeParser(pg.types.builtins.INT8, parseBigint);
}

function parseBigint(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}
