// A pickle is a program for a stack machine. This is that machine without the parts that execute Python: it creates
// only None, bools, numbers, strings, lists, tuples and dicts; a PicklePolicy decides on everything else.
//
// For plain data (request bodies) use `readPickle`. Example with objects:
//
//   type Token = { readonly kind: 'tensor', … } | { readonly kind: 'class', readonly name: string };
//   const policy: PicklePolicy<Token> = {
//     keys: 'primitive',
//     global: (module, name) => known.has(`${module}.${name}`) ? new PickleObject({ kind: 'class', … }) : undefined,
//     persistentLoad: (id) => id instanceof PickleTuple ? new PickleObject({ kind: 'storage', … }) : undefined,
//     reduce: (callable, args) => callable.value is OrderedDict ? new Map() : new PickleObject(tensor from args),
//     build: (target, state) => target,
//   };
//   const value: PickleValue<Token> = runPickle(bytes, policy, { inputBytes: 64 * 2 ** 20 });
//
// Return a Map for an OrderedDict: SETITEMS then fills it. If a hook returns undefined, the machine throws a PickleError
// that names the class. Ints arrive as bigint, floats as number, tuples as PickleTuple, arguments as an array.

import { ByteSource } from './byte-source.ts';
import { checkSize } from './measure.ts';
import { opcode, PLAIN_DATA_ADVICE, refusalOf } from './opcode.ts';
import { PickleError } from './pickle-error.ts';
import { DEFAULT_PICKLE_LIMITS, type PickleLimits } from './pickle-limits.ts';
import type { PicklePolicy } from './pickle-policy.ts';
import { PickleObject, type PickleScalar, PickleTuple, type PickleValue, pythonTypeName } from './pickle-value.ts';

/**
 * Read one pickle of protocol 0 to 5 made of binary opcodes, with `policy` deciding on everything that is not data.
 *
 * Limits default to {@link DEFAULT_PICKLE_LIMITS}. Throws {@link PickleError} and the exceptions of the policy's hooks.
 */
export function runPickle<T = never>(
  bytes: Uint8Array,
  policy: PicklePolicy<T>,
  limits?: Partial<PickleLimits>,
): PickleValue<T> {
  const machine = startMachine(bytes, policy, limits);
  const value = machine.run();
  machine.checkEnd();
  return value;
}

/**
 * {@link runPickle} for a pickle that starts at `offset` and may have other bytes after it. `endOffset` is that of the
 * byte after its STOP.
 */
export function runPickleAt<T = never>(
  bytes: Uint8Array,
  offset: number,
  policy: PicklePolicy<T>,
  limits?: Partial<PickleLimits>,
): { readonly value: PickleValue<T>; readonly endOffset: number } {
  const machine = startMachine(bytes.subarray(offset), policy, limits);
  const value = machine.run();
  return { value, endOffset: bytes.length - machine.remaining };
}

function startMachine<T>(bytes: Uint8Array, policy: PicklePolicy<T>, limits?: Partial<PickleLimits>): Machine<T> {
  const bounds = { ...DEFAULT_PICKLE_LIMITS, ...limits };
  if (bytes.length > bounds.inputBytes) {
    throw new PickleError('limit_input', `expected at most ${bounds.inputBytes} bytes, got ${bytes.length}`, null);
  }
  if (bytes.length === 0) throw new PickleError('empty_input', 'expected a pickle, got no bytes', null);
  return new Machine(bytes, policy, bounds);
}

class Machine<T> {
  readonly #source: ByteSource;
  readonly #policy: PicklePolicy<T>;
  readonly #limits: PickleLimits;
  readonly #stack: PickleValue<T>[] = [];
  /** Heights of the stack at each open MARK, rising. Nothing below the last one can be popped. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue<T>>();
  #containers = 0;

  constructor(bytes: Uint8Array, policy: PicklePolicy<T>, limits: PickleLimits) {
    this.#source = new ByteSource(bytes);
    this.#policy = policy;
    this.#limits = limits;
  }

  run(): PickleValue<T> {
    for (;;) {
      const code = this.#source.opcode();
      if (code === opcode.stop) return this.#stop();
      this.#step(code);
    }
  }

  /** Bytes after the last opcode that was read. */
  get remaining(): number {
    return this.#source.remaining;
  }

  /** Throws `trailing_bytes` where bytes follow the pickle. */
  checkEnd(): void {
    if (this.#source.remaining > 0) {
      this.#source.fail('trailing_bytes', `expected the end after STOP, got ${this.#source.remaining} more bytes`);
    }
  }

  #step(code: number): void {
    const source = this.#source;
    switch (code) {
      case opcode.proto:
        this.#checkProtocol(source.u8());
        break;
      case opcode.frame:
        source.require(source.u64());
        break;
      case opcode.mark:
        this.#mark();
        break;
      case opcode.none:
        this.#push(null);
        break;
      case opcode.newTrue:
        this.#push(true);
        break;
      case opcode.newFalse:
        this.#push(false);
        break;
      case opcode.binInt1:
        this.#push(BigInt(source.u8()));
        break;
      case opcode.binInt2:
        this.#push(BigInt(source.u16()));
        break;
      case opcode.binInt:
        this.#push(BigInt(source.i32()));
        break;
      case opcode.long1:
        this.#pushInteger(source.u8());
        break;
      case opcode.long4:
        this.#pushInteger(source.i32());
        break;
      case opcode.binFloat:
        this.#push(source.f64());
        break;
      case opcode.shortBinUnicode:
        this.#push(source.text(source.u8()));
        break;
      case opcode.binUnicode:
        this.#push(source.text(source.u32()));
        break;
      case opcode.binUnicode8:
        this.#push(source.text(source.u64()));
        break;
      case opcode.emptyList:
        this.#pushContainer([]);
        break;
      case opcode.append:
        this.#append([this.#pop()]);
        break;
      case opcode.appends:
        this.#append(this.#popToMark());
        break;
      case opcode.emptyDict:
        this.#pushContainer(new Map());
        break;
      case opcode.setItem:
        this.#setItems(this.#popCount(2));
        break;
      case opcode.setItems:
        this.#setItems(this.#popToMark());
        break;
      case opcode.emptyTuple:
        this.#pushContainer(new PickleTuple([]));
        break;
      case opcode.tuple1:
      case opcode.tuple2:
      case opcode.tuple3:
        this.#pushContainer(new PickleTuple(this.#popCount(code - opcode.tuple1 + 1)));
        break;
      case opcode.tuple:
        this.#pushContainer(new PickleTuple(this.#popToMark()));
        break;
      case opcode.memoize:
        this.#put(this.#memo.size);
        break;
      case opcode.binPut:
        this.#put(source.u8());
        break;
      case opcode.longBinPut:
        this.#put(source.u32());
        break;
      case opcode.binGet:
        this.#get(source.u8());
        break;
      case opcode.longBinGet:
        this.#get(source.u32());
        break;
      case opcode.global:
        this.#global(source.line(), source.line());
        break;
      case opcode.stackGlobal:
        this.#stackGlobal();
        break;
      case opcode.reduce:
      case opcode.newObj:
        this.#reduce();
        break;
      case opcode.build:
        this.#build();
        break;
      case opcode.binPersId:
        this.#persistentLoad();
        break;
      default: {
        const refusal = refusalOf(code);
        source.fail(refusal.code, refusal.message);
      }
    }
  }

  #stop(): PickleValue<T> {
    const value = this.#stack[0];
    if (value === undefined || this.#stack.length > 1 || this.#marks.length > 0) {
      const marks = this.#marks.length > 0 ? ` and ${this.#marks.length} open marks` : '';
      this.#source.fail('not_one_value', `expected one value at the end, got ${this.#stack.length}${marks}`);
    }
    checkSize(value, this.#limits, this.#source.opcodeAt);
    return value;
  }

  #checkProtocol(version: number): void {
    if (version > 5) {
      this.#source.fail('unsupported_protocol', `expected pickle protocol 2 to 5, got ${version}`);
    }
  }

  // The stack

  #push(value: PickleValue<T>): void {
    this.#checkStack();
    this.#stack.push(value);
  }

  #mark(): void {
    this.#checkStack();
    this.#marks.push(this.#stack.length);
  }

  #checkStack(): void {
    if (this.#stack.length + this.#marks.length >= this.#limits.stack) {
      this.#source.fail('limit_stack', `expected at most ${this.#limits.stack} values on the stack, got more`);
    }
  }

  #pushContainer(value: PickleValue<T>): void {
    this.#containers += 1;
    if (this.#containers > this.#limits.containers) {
      this.#source.fail('limit_containers', `expected at most ${this.#limits.containers} lists and dicts, got more`);
    }
    this.#push(value);
  }

  #pushInteger(length: number): void {
    if (length < 0) this.#source.fail('negative_length', `expected a length of 0 or more, got ${length}`);
    this.#source.require(length);
    if (length > this.#limits.integerBytes) {
      this.#source.fail(
        'limit_integer',
        `expected an integer of at most ${this.#limits.integerBytes} bytes, got ${length}`,
      );
    }
    this.#push(this.#source.integer(length));
  }

  #popCount(count: number): PickleValue<T>[] {
    const height = this.#stack.length - count;
    if (height < (this.#marks.at(-1) ?? 0)) {
      this.#source.fail('stack_underflow', 'expected more values on the stack; the pickle is damaged');
    }
    return this.#stack.splice(height);
  }

  #pop(): PickleValue<T> {
    return this.#popCount(1)[0] as PickleValue<T>;
  }

  #popToMark(): PickleValue<T>[] {
    const height = this.#marks.pop();
    if (height === undefined) this.#source.fail('mark_missing', 'expected a mark on the stack; the pickle is damaged');
    return this.#stack.splice(height);
  }

  #top(): PickleValue<T> {
    const top = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.at(-1) : undefined;
    if (top === undefined) this.#source.fail('stack_underflow', 'expected a value on the stack; the pickle is damaged');
    return top;
  }

  // Containers and memo

  #append(items: readonly PickleValue<T>[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) {
      this.#source.fail('wrong_operand', `expected a Python list to append to, got ${pythonTypeName(list)}`);
    }
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue<T>[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map)) {
      this.#source.fail('wrong_operand', `expected a dict to fill, got ${pythonTypeName(dict)}`);
    }
    if (items.length % 2 !== 0) this.#source.fail('odd_items', 'expected a value for each key, got a key alone');
    for (let at = 0; at < items.length; at += 2) {
      dict.set(this.#key(items[at] as PickleValue<T>), items[at + 1] as PickleValue<T>);
    }
  }

  #key(key: PickleValue<T>): PickleScalar {
    if (typeof key === 'string') return key;
    if (this.#policy.keys === 'string') {
      this.#source.fail('key_not_string', `expected dict keys of type str, got ${pythonTypeName(key)}; use str keys`);
    }
    if (typeof key === 'object' && key !== null) {
      this.#source.fail(
        'key_not_primitive',
        `expected a str, int, float, bool or None as key, got ${pythonTypeName(key)}`,
      );
    }
    return key;
  }

  #put(index: number): void {
    this.#memo.set(index, this.#top());
    if (this.#memo.size > this.#limits.memo) {
      this.#source.fail('limit_memo', `expected at most ${this.#limits.memo} memo entries, got more`);
    }
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.#source.fail('memo_miss', `expected a value in memo entry ${index}, got none`);
    this.#push(value);
  }

  // Objects: created by the policy alone

  #global(module: string, name: string): void {
    const token = this.#policy.global?.(module, name);
    if (token === undefined) {
      this.#source.fail(
        'forbidden_global',
        `expected plain data, got ${shown(`${module}.${name}`)}, a class or function; ${PLAIN_DATA_ADVICE}`,
      );
    }
    this.#push(token);
  }

  #stackGlobal(): void {
    const [module, name] = this.#popCount(2);
    if (typeof module !== 'string' || typeof name !== 'string') {
      this.#source.fail('wrong_operand', 'expected the names of a module and of a class in it, got other values');
    }
    this.#global(module, name);
  }

  #reduce(): void {
    const [callable, args] = this.#popCount(2);
    if (!(callable instanceof PickleObject) || !(args instanceof PickleTuple)) {
      this.#source.fail('wrong_operand', `expected a class or function and its arguments; ${PLAIN_DATA_ADVICE}`);
    }
    const result = this.#policy.reduce?.(callable, args.items);
    if (result === undefined)
      this.#source.fail('forbidden_call', `expected plain data, got a call; ${PLAIN_DATA_ADVICE}`);
    this.#pushContainer(result);
  }

  #build(): void {
    const [target, state] = this.#popCount(2) as [PickleValue<T>, PickleValue<T>];
    const result = this.#policy.build?.(target, state);
    if (result === undefined) {
      this.#source.fail('forbidden_call', `expected plain data, got the state of an object; ${PLAIN_DATA_ADVICE}`);
    }
    this.#push(result);
  }

  #persistentLoad(): void {
    const result = this.#policy.persistentLoad?.(this.#pop());
    if (result === undefined) {
      this.#source.fail('forbidden_call', `expected plain data, got a reference to outside it; ${PLAIN_DATA_ADVICE}`);
    }
    this.#push(result);
  }
}

/** A name from the input, quoted and truncated for a message. */
function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
