"""Writes a sentence encoder's folder as model.onnx (fp32) and model-int8.onnx, without a network.

    python export.py MODEL_FOLDER OUTPUT_FOLDER
"""

import os
import sys
import warnings
from pathlib import Path

os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel


class States(torch.nn.Module):
    """The last hidden states alone, from ids and mask by position."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask).last_hidden_state


def main():
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    exact, small = output / "model.onnx", output / "model-int8.onnx"
    if exact.exists() and small.exists():
        return
    output.mkdir(parents=True, exist_ok=True)
    # The plain attention is the one that can be traced with both lengths left open.
    model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
    ids = torch.ones(2, 16, dtype=torch.long)
    lengths = {0: "batch", 1: "tokens"}
    warnings.simplefilter("ignore")
    partial = output / "partial.onnx"
    torch.onnx.export(
        States(model),
        (ids, torch.ones_like(ids)),
        str(partial),
        input_names=["ids", "mask"],
        output_names=["states"],
        dynamic_axes={"ids": lengths, "mask": lengths, "states": lengths},
        opset_version=17,
        dynamo=False,
    )
    partial.rename(exact)
    quantize_dynamic(str(exact), str(partial), weight_type=QuantType.QInt8, per_channel=True)
    partial.rename(small)


main()
