/** Stable error codes. */
export type PickleErrorCode =
  // The bytes do not form a pickle.
  /** There are no bytes. */
  | 'empty_input'
  /** The pickle ends in the middle of an opcode or before STOP. */
  | 'truncated'
  /** There are bytes after STOP. */
  | 'trailing_bytes'
  /** A byte is no opcode of protocols 0 to 5. */
  | 'unknown_opcode'
  /** The pickle states a protocol above 5. */
  | 'unsupported_protocol'
  /** A string is not UTF-8. */
  | 'invalid_utf8'
  /** A length is negative. */
  | 'negative_length'
  /** An opcode takes more values than the stack has. */
  | 'stack_underflow'
  /** An opcode needs a mark that was not set. */
  | 'mark_missing'
  /** A memo entry is read that was not written. */
  | 'memo_miss'
  /** An opcode is applied to a value of another type. */
  | 'wrong_operand'
  /** A dict is given a key without a value. */
  | 'odd_items'
  /** The stack does not have exactly one value at STOP. */
  | 'not_one_value'
  // A valid pickle that this reader refuses.
  /** The opcode makes objects or calls functions. */
  | 'forbidden_opcode'
  /** The pickle names a class or function that is not on the allow list. */
  | 'forbidden_global'
  /** The pickle calls a listed class with unsupported arguments. */
  | 'forbidden_call'
  /** A dict has a key that is not a string. */
  | 'key_not_string'
  /** A dict has a container or an object as a key. */
  | 'key_not_primitive'
  /** A value (bytes, a set) has no form in JSON. */
  | 'no_json_form'
  /** A number is NaN or infinite. */
  | 'not_finite'
  /** A container contains itself. */
  | 'cycle'
  // Larger than the limits.
  /** The pickle has more bytes than allowed. */
  | 'limit_input'
  /** The stack grows beyond its limit. */
  | 'limit_stack'
  /** The memo grows beyond its limit. */
  | 'limit_memo'
  /** There are more containers than allowed. */
  | 'limit_containers'
  /** Containers are nested deeper than allowed. */
  | 'limit_depth'
  /** There are more values than allowed, aliases counted each time. */
  | 'limit_nodes'
  /** The strings have more characters than allowed. */
  | 'limit_text'
  /** An integer has more digits than allowed. */
  | 'limit_integer'
  // The hexadecimal form around the pickle.
  /** Hexadecimal text has an odd number of digits. */
  | 'hex_odd_length'
  /** Hexadecimal text has a character that is no digit. */
  | 'hex_digit';

/** A pickle (or its hexadecimal form) was refused. No code from it was executed. */
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
