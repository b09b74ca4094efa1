/**
 * What the kernels need of the operating system: memory that may be large and is aligned to pages, and the functions by
 * which threads start, sleep and wake. The library links with nothing; it gets their addresses.
 */
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';

/** Address in this process. */
export type Address = bigint;

export interface System {
  /** Number of the system in `abi.h`. */
  readonly number: number;
  /** Addresses that create and join a thread, and that wait for and wake by a word of memory. */
  readonly threads: readonly [create: Address, join: Address, wait: Address, wake: Address];
  /** What the system says of the processor, where the processor does not say it itself: `AT_HWCAP` on Linux for arm64. */
  readonly capabilities: bigint | number;
  /** Zeroed memory, aligned to a page. Throws `out_of_memory`. */
  allocate(bytes: number): Memory;
}

/** Memory outside the JavaScript heap. Views of it are invalid after `free`. */
export interface Memory {
  readonly address: Address;
  readonly bytes: number;
  free(): void;
}

let system: System | undefined;

/** The services of this system. Throws `library_missing` for a system that has them not. */
export function loadSystem(platform: NodeJS.Platform = process.platform): System {
  system ??= platform === 'linux' ? linux() : unsupported(platform);
  return system;
}

function unsupported(platform: string): never {
  throw new ModelError('library_missing', `expected Linux, got ${platform}`);
}

const AT_HWCAP = 16;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MADV_HUGEPAGE = 14;
/** Pages of 2 MiB: without them a step that reads gigabytes waits for address translation. */
const HUGE_PAGE = 2 * 1024 * 1024;

/** Throws `library_missing` where the C library is another one than glibc, as in Alpine. */
function loadC(name: string): koffi.LibraryHandle {
  try {
    return koffi.load(name);
  } catch (cause) {
    throw new ModelError('library_missing', `expected glibc, could not load ${name}`, { cause });
  }
}

/** Before glibc 2.34 the functions of threads are in a library of their own. */
function threadFunction(c: koffi.LibraryHandle, name: string): Address {
  try {
    return c.symbol(name) as Address;
  } catch {
    return loadC('libpthread.so.0').symbol(name) as Address;
  }
}

function linux(): System {
  const c = loadC('libc.so.6');
  const map = c.func('void *mmap(void *address, size_t bytes, int protection, int flags, int file, int64_t offset)');
  const unmap = c.func('int munmap(void *address, size_t bytes)');
  const advise = c.func('int madvise(void *address, size_t bytes, int advice)');
  const call = c.symbol('syscall') as Address;
  const auxiliary = c.func('uint64_t getauxval(uint64_t type)');
  return {
    number: 0,
    threads: [threadFunction(c, 'pthread_create'), threadFunction(c, 'pthread_join'), call, call],
    capabilities: auxiliary(AT_HWCAP) as bigint | number,
    allocate(bytes) {
      const isLarge = bytes >= HUGE_PAGE;
      const mapped = bytes + (isLarge ? HUGE_PAGE : 0);
      const at = map(null, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) as Address | null;
      if (at === null || at === 0xffff_ffff_ffff_ffffn) {
        throw new ModelError('out_of_memory', `expected ${bytes} bytes of memory, the system has them not`);
      }
      const huge = BigInt(HUGE_PAGE);
      const address = isLarge ? ((at + huge - 1n) / huge) * huge : at;
      if (isLarge) advise(address, bytes, MADV_HUGEPAGE);
      let isFree = false;
      return {
        address,
        bytes,
        free() {
          if (!isFree) unmap(at, mapped);
          isFree = true;
        },
      };
    },
  };
}

/** The bytes at an address, without a copy. */
export function bytesAt(address: Address, bytes: number): ArrayBuffer {
  return koffi.view(address, bytes);
}

/** Address of an array that is no view of a part of its buffer. The caller keeps the array alive as long as C may use it. */
export function addressOf(array: ArrayBufferView): Address {
  return koffi.address(array);
}
