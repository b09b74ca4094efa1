/** The opcodes that the machine executes (CPython Lib/pickletools.py, protocols 2 to 5). */
export const opcode = {
  proto: 0x80,
  frame: 0x95,
  stop: 0x2e,
  mark: 0x28,
  none: 0x4e,
  newTrue: 0x88,
  newFalse: 0x89,
  binInt1: 0x4b,
  binInt2: 0x4d,
  binInt: 0x4a,
  long1: 0x8a,
  long4: 0x8b,
  binFloat: 0x47,
  shortBinUnicode: 0x8c,
  binUnicode: 0x58,
  binUnicode8: 0x8d,
  emptyList: 0x5d,
  append: 0x61,
  appends: 0x65,
  emptyDict: 0x7d,
  setItem: 0x73,
  setItems: 0x75,
  emptyTuple: 0x29,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  tuple: 0x74,
  memoize: 0x94,
  binPut: 0x71,
  longBinPut: 0x72,
  binGet: 0x68,
  longBinGet: 0x6a,
  // Only with a policy that has the hook.
  global: 0x63,
  stackGlobal: 0x93,
  reduce: 0x52,
  newObj: 0x81,
  build: 0x62,
  binPersId: 0x51,
} as const;

type Refusal = 'object' | 'no_json_form' | 'text' | 'rare';

/** Valid opcodes that the machine refuses, with the reason. */
const REFUSED: ReadonlyMap<number, readonly [name: string, refusal: Refusal]> = new Map([
  [0x69, ['INST', 'object']],
  [0x6f, ['OBJ', 'object']],
  [0x92, ['NEWOBJ_EX', 'object']],
  [0x82, ['EXT1', 'object']],
  [0x83, ['EXT2', 'object']],
  [0x84, ['EXT4', 'object']],
  [0x50, ['PERSID', 'object']],
  [0x97, ['NEXT_BUFFER', 'object']],
  [0x98, ['READONLY_BUFFER', 'object']],
  [0x42, ['BINBYTES', 'no_json_form']],
  [0x43, ['SHORT_BINBYTES', 'no_json_form']],
  [0x8e, ['BINBYTES8', 'no_json_form']],
  [0x96, ['BYTEARRAY8', 'no_json_form']],
  [0x8f, ['EMPTY_SET', 'no_json_form']],
  [0x90, ['ADDITEMS', 'no_json_form']],
  [0x91, ['FROZENSET', 'no_json_form']],
  [0x54, ['BINSTRING', 'no_json_form']],
  [0x55, ['SHORT_BINSTRING', 'no_json_form']],
  [0x49, ['INT', 'text']],
  [0x4c, ['LONG', 'text']],
  [0x46, ['FLOAT', 'text']],
  [0x53, ['STRING', 'text']],
  [0x56, ['UNICODE', 'text']],
  [0x67, ['GET', 'text']],
  [0x70, ['PUT', 'text']],
  [0x64, ['DICT', 'text']],
  [0x6c, ['LIST', 'text']],
  [0x30, ['POP', 'rare']],
  [0x31, ['POP_MARK', 'rare']],
  [0x32, ['DUP', 'rare']],
]);

export const PLAIN_DATA_ADVICE =
  'convert numpy values, datetimes and objects of classes to plain str, int, float, bool, None, list or dict';

const ADVICE: Readonly<Record<Refusal, string>> = {
  object: `which makes or loads an object; ${PLAIN_DATA_ADVICE}`,
  no_json_form: 'which holds bytes or a set, and those have no JSON form; send a str or a list instead',
  text: 'which belongs to protocol 0; pickle with protocol 2 to 5',
  rare: 'which no pickle of plain data needs; pickle with pickle.dumps, dill.dumps or cloudpickle.dumps',
};

/** Error code and message for an opcode that the machine refuses. */
export function refusalOf(code: number): {
  readonly code: 'forbidden_opcode' | 'no_json_form' | 'unknown_opcode';
  readonly message: string;
} {
  const hex = `0x${code.toString(16).padStart(2, '0')}`;
  const refused = REFUSED.get(code);
  if (refused === undefined) {
    return { code: 'unknown_opcode', message: `expected a pickle opcode, got byte ${hex}; is this a pickle?` };
  }
  const [name, refusal] = refused;
  return {
    code: refusal === 'no_json_form' ? 'no_json_form' : 'forbidden_opcode',
    message: `expected plain data, got opcode ${name} (${hex}), ${ADVICE[refusal]}`,
  };
}
