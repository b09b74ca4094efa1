import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Costs of scrypt (RFC 7914): memory is 128·N·r bytes, time grows with N·r·p. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and some tenths of a second. It can be raised later: every hash states its own costs. */
const SCRYPT_COST: ScryptCost = { n: 2 ** 15, r: 8, p: 3 };

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Maximum memory of a check, whatever costs a stored hash states. */
const MAX_MEMORY_BYTES = 256 * 2 ** 20;

/** Hashes and checks passwords, both off the main thread. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * Whether a password matches a hash. Null, for an account without a password or for no account, takes the same time
   * and never matches.
   */
  verify(password: string, hash: string | null): Promise<boolean>;
}

export function createPasswordHasher(cost: ScryptCost = SCRYPT_COST): PasswordHasher {
  const write = (salt: Buffer, key: Buffer): string =>
    `scrypt$${cost.n}$${cost.r}$${cost.p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
  const unmatchable = write(Buffer.alloc(SALT_BYTES), Buffer.alloc(KEY_BYTES));
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      return write(salt, await derive(password, salt, cost));
    },
    async verify(password, hash) {
      const parts = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]+)$/.exec(hash ?? unmatchable);
      if (parts === null) throw new Error('expected a stored password hash, scrypt$n$r$p$salt$key, got another format');
      const [, n, r, p, salt = '', key = ''] = parts;
      const expected = Buffer.from(key, 'base64url');
      const actual = await derive(password, Buffer.from(salt, 'base64url'), {
        n: Number(n),
        r: Number(r),
        p: Number(p),
      });
      return hash !== null && expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}

/** Normalised (NFKC), so that composed and decomposed spellings of a character are the same password. */
function derive(password: string, salt: Buffer, { n, r, p }: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N: n, r, p, maxmem: MAX_MEMORY_BYTES }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
