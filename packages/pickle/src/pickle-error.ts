/** What was wrong; stable, one meaning each. */
export type PickleErrorCode =
  // The bytes do not form a pickle.
  | 'empty_input'
  | 'truncated'
  | 'trailing_bytes'
  | 'unknown_opcode'
  | 'unsupported_protocol'
  | 'invalid_utf8'
  | 'negative_length'
  | 'stack_underflow'
  | 'mark_missing'
  | 'memo_miss'
  | 'wrong_operand'
  | 'odd_items'
  | 'not_one_value'
  // A pickle, but not one this reader takes.
  | 'forbidden_opcode'
  | 'forbidden_global'
  | 'forbidden_call'
  | 'key_not_string'
  | 'key_not_primitive'
  | 'no_json_form'
  | 'not_finite'
  | 'cycle'
  // Larger than the limits.
  | 'limit_input'
  | 'limit_stack'
  | 'limit_memo'
  | 'limit_containers'
  | 'limit_depth'
  | 'limit_nodes'
  | 'limit_text'
  | 'limit_integer'
  // The hexadecimal form around the pickle.
  | 'hex_odd_length'
  | 'hex_digit';

/** A pickle (or its hexadecimal form) was refused. Nothing of it was run or kept. */
export class PickleError extends Error {
  override readonly name = 'PickleError';
  readonly code: PickleErrorCode;
  /** Byte where the offending opcode starts (in hex text: the character), or null where there is no input. */
  readonly offset: number | null;

  constructor(code: PickleErrorCode, message: string, offset: number | null) {
    super(offset === null ? message : `${message} (at byte ${offset})`);
    this.code = code;
    this.offset = offset;
  }
}
