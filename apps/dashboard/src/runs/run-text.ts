const CLOSING = /^[\p{Pe}\p{Pf},.;:!?…'’]/u;

/** Text as one line: white space within it is one blank each, and none is at its ends. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

/** What stands between the head of a prompt and that of its output: nothing before the comma of `Once upon a time, and`. */
export function blankBefore(output: string): '' | ' ' {
  return CLOSING.test(output) ? '' : ' ';
}
