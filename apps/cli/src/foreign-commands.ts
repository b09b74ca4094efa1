/** Commands of ollama, hf, llama.cpp and replicate that have another name here. */

/** The command to use, completing "WORD: ", by the first word of other programs. */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  [
    'list',
    'a server has one model: gptj server shows it, gptj pipelines lists what it runs; runs are in gptj runs list',
  ],
  ['ls', 'a server has one model: gptj server shows it, gptj pipelines lists what it runs; runs are in gptj runs list'],
  ['models', 'a server has one model: gptj server shows it, gptj pipelines lists what it runs'],
  ['ps', 'the open runs are in gptj runs list --state received,running; the model is in gptj server'],
  [
    'pull',
    'models are not downloaded by gptj: hf download EleutherAI/gpt-j-6b --local-dir gpt-j-6b, then gptj serve --model gpt-j-6b',
  ],
  [
    'download',
    'models are not downloaded by gptj: hf download EleutherAI/gpt-j-6b --local-dir gpt-j-6b, then gptj serve --model gpt-j-6b',
  ],
  ['push', 'gptj uploads no models'],
  ['create', 'gptj convert FOLDER OUT.gguf makes a model file; gptj tokens create makes an API token'],
  ['quantize', 'gptj convert FILE OUT.gguf --type TYPE stores the weights in another type'],
  ['show', 'gptj inspect FILE describes a model file, gptj server the model of a server'],
  ['rm', 'gptj runs delete ID deletes a run; a model is a file, which rm deletes'],
  ['stop', 'gptj runs cancel ID ends a run; Ctrl-C ends the server'],
  ['start', 'gptj serve starts the server'],
  ['auth', 'gptj login URL, gptj logout and gptj whoami'],
  ['token', 'gptj tokens'],
  ['user', 'gptj users'],
  ['plan', 'gptj plans'],
  ['project', 'gptj projects'],
  ['webhook', 'gptj webhooks'],
  ['pipeline', 'gptj pipelines'],
  ['file', 'gptj files'],
  ['preset', 'gptj presets'],
  ['repl', 'gptj chat'],
  ['complete', 'gptj run PROMPT on a server, gptj generate PROMPT in this process'],
  ['predict', 'gptj run PROMPT on a server, gptj generate PROMPT in this process'],
  ['bench', 'npm run bench in a checkout measures the engine; gptj generate prints the speed of each generation'],
]);

/** What to use in place of a command of another program; null for words that no such program has. */
export function foreignCommand(words: readonly string[]): string | null {
  const [word = ''] = words;
  return ANSWERS.get(word) ?? null;
}
