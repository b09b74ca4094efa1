/** `flock` of the C library, which Node does not have. */
import { constants } from 'node:os';
import * as koffi from 'koffi';

const LOCK_EX = 2;
const LOCK_NB = 4;

let flock: ((fd: number, operation: number) => unknown) | undefined;

/** Lock an open file exclusively, until it is closed or the process ends. */
export function tryFileLock(fd: number): 'locked' | 'taken' | 'unsupported' {
  flock ??= koffi.load(null).func('int flock(int fd, int operation)');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return 'locked';
  const { EWOULDBLOCK, EAGAIN, EINTR } = constants.errno;
  const errno = koffi.errno();
  if (errno === EINTR) return tryFileLock(fd);
  return errno === EWOULDBLOCK || errno === EAGAIN ? 'taken' : 'unsupported';
}
