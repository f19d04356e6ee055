"""Encodes texts with other people's software, so that they are timed beside ours in the same run.

Reads one JSON object on the first line: {"model": folder, "threads": n, "texts": [...]}, and answers
with the names of the peers that this Python has. Then each line, a JSON object {"peer": name, "texts":
[numbers]}, is encoded at once and answered with the seconds that it took. Packages: requirements.txt.
"""

import json
import os
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"
# Warnings of the packages must not stand among the answers.
answers, sys.stdout = sys.stdout, sys.stderr


def sentence_transformers(model, threads, device="cpu"):
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    encoder = SentenceTransformer(model, device=device)
    encoder.max_seq_length = 256
    options = {"batch_size": 32, "normalize_embeddings": True, "show_progress_bar": False}
    # Weights may come in half precision, which processors are slow with.
    encoder.float()
    if device == "cuda":
        # As fast as it goes: half precision, and batches that keep a card busy.
        encoder.half()
        options["batch_size"] = 1024
    return lambda texts: encoder.encode(texts, **options)


def sentence_transformers_on_cuda(model, threads):
    import torch

    if not torch.cuda.is_available():
        raise ImportError("no CUDA device")
    return sentence_transformers(model, threads, "cuda")


def onnx_runtime(model, threads):
    import numpy
    import onnxruntime
    import tokenizers
    import torch
    from onnxruntime.transformers import optimizer
    from transformers import BertModel

    network = BertModel.from_pretrained(model, attn_implementation="eager").float().eval()

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, ids, mask, kinds):
            return self.network(input_ids=ids, attention_mask=mask, token_type_ids=kinds).last_hidden_state

    example = tuple(torch.ones((2, 8), dtype=torch.int64) for _ in range(3))
    axes = {name: {0: "texts", 1: "tokens"} for name in ["ids", "mask", "kinds", "states"]}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "encoder.onnx")
        names = {"input_names": ["ids", "mask", "kinds"], "output_names": ["states"]}
        torch.onnx.export(Encoder(), example, path, **names, dynamic_axes=axes, dynamo=False)
        config = network.config
        fused = optimizer.optimize_model(
            path, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
        )
        fused.save_model_to_file(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.enable_padding()
    tokenizer.enable_truncation(256)

    def encode(texts):
        encodings = tokenizer.encode_batch(texts)
        ids = numpy.array([encoding.ids for encoding in encodings], dtype=numpy.int64)
        mask = numpy.array([encoding.attention_mask for encoding in encodings], dtype=numpy.int64)
        tokens = session.run(["states"], {"ids": ids, "mask": mask, "kinds": numpy.zeros_like(ids)})[0]
        sums = (tokens * mask[:, :, None]).sum(1)
        return sums / numpy.linalg.norm(sums, axis=1, keepdims=True)

    return encode


def main():
    setup = json.loads(sys.stdin.readline())
    peers, expected = {}, None
    known = {
        "sentence-transformers": sentence_transformers,
        "ONNX Runtime": onnx_runtime,
        "sentence-transformers on cuda": sentence_transformers_on_cuda,
    }
    for name, load in known.items():
        try:
            encode = load(setup["model"], setup["threads"])
        except ImportError as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
            continue
        # A peer that computes something else would be no peer.
        vector = encode(setup["texts"][:1])[0]
        expected = vector if expected is None else expected
        assert float((vector * expected).sum()) > 0.9999, f"{name} does not agree"
        peers[name] = encode
    print(json.dumps(list(peers)), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        texts = [setup["texts"][at] for at in task["texts"]]
        began = time.perf_counter()
        peers[task["peer"]](texts)
        print(time.perf_counter() - began, file=answers, flush=True)


main()
