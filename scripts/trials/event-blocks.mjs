/**
 * The events of a stream, as they arrive: their fields by name. `onBytes` is called when anything arrives, comments too.
 */
export async function* eventBlocks(body, onBytes) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    onBytes();
    rest += decoder.decode(bytes, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n').map((line) => /^(\w+): (.*)$/.exec(line));
      yield Object.fromEntries(lines.flatMap((found) => (found === null ? [] : [[found[1], found[2]]])));
    }
  }
}
