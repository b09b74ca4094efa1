export { PickleError, type PickleErrorCode } from './pickle-error.ts';
export { DEFAULT_PICKLE_LIMITS, type PickleLimits } from './pickle-limits.ts';
export type { PicklePolicy } from './pickle-policy.ts';
export { PickleObject, type PickleScalar, PickleTuple, type PickleValue, pythonTypeName } from './pickle-value.ts';
export { readPickle } from './read-pickle.ts';
export { runPickle } from './run-pickle.ts';
