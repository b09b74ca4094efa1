/** Commands of ollama, hf, llama.cpp and replicate that have another name here. */

/** The command to use, completing "WORD: ", by the first word of other programs. */
const ANSWERS: ReadonlyMap<string, string> = new Map([
  ['ls', 'gptj list has the models of this machine; runs are in gptj runs list'],
  ['models', 'gptj list has the models of this machine, gptj server shows the one that is served'],
  ['ps', 'the open runs are in gptj runs list --state received,running; the model is in gptj server'],
  ['download', 'gptj pull gpt-j-6b downloads a model'],
  ['push', 'gptj uploads no models'],
  ['create', 'gptj convert FOLDER OUT.gguf makes a model file; gptj tokens create makes an API token'],
  ['quantize', 'gptj convert FILE OUT.gguf --type TYPE stores the weights in another type'],
  ['show', 'gptj inspect FILE describes a model file, gptj server the model of a server'],
  ['remove', 'gptj rm NAME deletes a model, gptj runs delete ID a run'],
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
