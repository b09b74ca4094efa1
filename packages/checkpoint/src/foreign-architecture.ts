/** Names of tensors by which a checkpoint of another architecture, or of a quantisation that is not read, is recognised. */
const SIGNS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [
    /(?:^|\.)attn\.attention\.[qkv]_proj\.weight$/,
    'the names of GPT-Neo; save it as GPTJForCausalLM, if it is a GPT-J',
  ],
  [/(?:^|\.)attention\.query_key_value\.weight$/, 'a GPT-NeoX'],
  [/(?:^|\.)attn\.c_attn\.weight$/, 'a GPT-2'],
  [/(?:^|\.)self_attn\.q_proj\.weight$/, 'a model of another architecture'],
  [/\.qweight$/, 'weights in 4 bits of GPTQ; convert the original checkpoint, or save the model in float16'],
  [/\.weight\.(?:absmax|quant_map|quant_state\.\w+)$/, 'weights in 4 bits of bitsandbytes; save the model in float16'],
  [/\.SCB$/, 'weights in int8 of bitsandbytes; save the model in float16'],
];

/** What these tensors are instead of a GPT-J's in floating point, or null where no name is known. */
export function foreignArchitecture(names: Iterable<string>): string | null {
  for (const name of names) {
    const sign = SIGNS.find(([pattern]) => pattern.test(name));
    if (sign !== undefined) return sign[1];
  }
  return null;
}
