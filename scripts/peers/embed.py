"""A resident embedder that models/benches/embedding.rs asks over standard input and output.

    python embed.py sentence-transformers MODEL_FOLDER THREADS
    python embed.py onnxruntime MODEL_FOLDER THREADS GRAPH.onnx

One JSON object a line each way. Texts come once, under a name, so that no timing holds the pipe:
    {"keep": name, "texts": [...]}              -> {"kept": n}
    {"vectors": name, "batch": n}               -> {"vectors": [[...], ...]}
    {"run": name, "batch": n, "sorted": bool}   -> {"wall_ms": x, "cpu_ms": x}
    {"each": name}                              -> {"each_ms": [x, ...]}
Every timing goes from texts to normalised vectors, the tokenizer included.
"""

import json
import os
import sys
import time

os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

LIMIT_TOKENS = 256


class SentenceTransformers:
    """As its documentation says; it sorts by length itself."""

    def __init__(self, folder, threads):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        self.model = SentenceTransformer(folder, device="cpu")

    def embed(self, texts, batch, is_sorted):
        return self.model.encode(
            texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False
        )


class OnnxRuntime:
    """Tokenizer, session, mean over the mask: what its users write around it."""

    def __init__(self, folder, threads, graph):
        import numpy
        import onnxruntime
        from tokenizers import Tokenizer

        self.numpy = numpy
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(LIMIT_TOKENS)
        self.tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads sleep: spinning ones would be measured as work, and slow whoever is next.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts, batch, is_sorted):
        order = list(range(len(texts)))
        if is_sorted:
            order.sort(key=lambda n: -len(texts[n]))
        vectors = [None] * len(texts)
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            for n, vector in zip(part, self.step([texts[n] for n in part])):
                vectors[n] = vector
        return self.numpy.stack(vectors)

    def step(self, texts):
        numpy = self.numpy
        encoded = self.tokenizer.encode_batch(texts)
        ids = numpy.array([e.ids for e in encoded], dtype=numpy.int64)
        mask = numpy.array([e.attention_mask for e in encoded], dtype=numpy.int64)
        (states,) = self.session.run(None, {"ids": ids, "mask": mask})
        pooled = (states * mask[:, :, None].astype(numpy.float32)).sum(axis=1)
        return pooled / numpy.linalg.norm(pooled, axis=1, keepdims=True)


def answer(embedder, kept, request):
    if "keep" in request:
        kept[request["keep"]] = request["texts"]
        return {"kept": len(request["texts"])}
    if "vectors" in request:
        vectors = embedder.embed(kept[request["vectors"]], request["batch"], False)
        return {"vectors": [[float(x) for x in v] for v in vectors]}
    if "run" in request:
        texts = kept[request["run"]]
        wall, cpu = time.perf_counter(), time.process_time()
        embedder.embed(texts, request["batch"], request["sorted"])
        return {
            "wall_ms": (time.perf_counter() - wall) * 1e3,
            "cpu_ms": (time.process_time() - cpu) * 1e3,
        }
    each = []
    for text in kept[request["each"]]:
        start = time.perf_counter()
        embedder.embed([text], 1, False)
        each.append((time.perf_counter() - start) * 1e3)
    return {"each_ms": each}


def main():
    # Libraries print; the answers go out by a line of their own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kind, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "sentence-transformers":
        embedder = SentenceTransformers(folder, threads)
    else:
        embedder = OnnxRuntime(folder, threads, sys.argv[4])
    kept = {}
    for line in sys.stdin:
        out.write(json.dumps(answer(embedder, kept, json.loads(line))) + "\n")
        out.flush()


main()
