/** How much of one kind each client and all clients together hold at this moment. */
export interface ClientCounts {
  readonly total: number;
  of(client: string): number;
  add(client: string, amount: number): void;
}

export function createClientCounts(): ClientCounts {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    get total() {
      return total;
    },
    of: (client) => counts.get(client) ?? 0,
    add(client, amount) {
      total += amount;
      const count = (counts.get(client) ?? 0) + amount;
      if (count === 0) counts.delete(client);
      else counts.set(client, count);
    },
  };
}
