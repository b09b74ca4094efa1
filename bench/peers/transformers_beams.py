"""Times beam search of transformers on the CPU for a random GPT-J of a given shape.

    python transformers_beams.py LAYERS WIDTH HEADS ROTARY BEAMS TOKENS ROUNDS

Weights are bfloat16 (half the memory traffic of float32) and random; speed does not depend on their values. Prints
one JSON object: the seconds of each round for TOKENS tokens after a prompt of 16.
"""

import json
import sys
import time

import torch
from transformers import GPTJConfig, GPTJForCausalLM

layers, width, heads, rotary, beams, tokens, rounds = map(int, sys.argv[1:])
config = GPTJConfig(n_layer=layers, n_embd=width, n_head=heads, rotary_dim=rotary)
torch.set_default_dtype(torch.bfloat16)
with torch.device("meta"):
    model = GPTJForCausalLM(config)
model = model.to_empty(device="cpu").eval()
pool = torch.randn(1 << 20) * 0.02
with torch.no_grad():
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.is_floating_point():
            flat = tensor.view(-1)
            for start in range(0, flat.numel(), pool.numel()):
                part = flat[start : start + pool.numel()]
                part.copy_(pool[: part.numel()])
prompt = torch.randint(0, 50257, (1, 16))
options = dict(num_beams=beams, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False, pad_token_id=50256)
seconds = []
for _ in range(rounds + 1):
    started = time.perf_counter()
    with torch.no_grad():
        model.generate(prompt, attention_mask=torch.ones_like(prompt), **options)
    seconds.append(time.perf_counter() - started)
print(json.dumps({"seconds": seconds[1:]}))
