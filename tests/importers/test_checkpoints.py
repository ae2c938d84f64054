"""Files of weights: sizes and widths as their headers say, the weights are never read."""

import json
import struct
from contextlib import suppress

import numpy as np
import pytest

import dse
from dse import DseError

LLAMA = {"model_type": "llama", "hidden_size": 64, "intermediate_size": 160,
         "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 2,
         "vocab_size": 1000, "max_position_embeddings": 256, "dtype": "bfloat16",
         "tie_word_embeddings": False}  # fmt: skip

PRODUCTS = {"attn_q": (64, 64), "attn_k": (64, 16), "attn_v": (64, 16), "attn_output": (64, 64),
            "ffn_gate": (64, 160), "ffn_up": (64, 160), "ffn_down": (160, 64)}  # fmt: skip
NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}  # fmt: skip
F16, Q8_0, Q4_K, Q6_K = 1, 8, 12, 14
BITS = {F16: 16, Q8_0: 8.5, Q4_K: 4.5, Q6_K: 6.5625}
"""Bytes of a block of ggml over its elements, by their struct in ggml-common.h."""


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        words = b"".join(text(x) for x in value)
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + words
    return text(key) + struct.pack("<II", 4, value)


def gguf(folder, kinds, *, name="net.gguf", **changes):
    values = {"general.architecture": "llama", "general.name": "Small one",
              "llama.embedding_length": 64, "llama.block_count": 4,
              "llama.feed_forward_length": 160, "llama.attention.head_count": 8,
              "llama.attention.head_count_kv": 2, "llama.context_length": 256,
              "tokenizer.ggml.tokens": [f"w{x}" for x in range(1000)], **changes}  # fmt: skip
    tensors = [("token_embd.weight", (64, 1000), Q4_K), ("output.weight", (64, 1000), Q6_K)]
    for block in range(4):
        tensors.append((f"blk.{block}.attn_norm.weight", (64,), 0))
        tensors += [(f"blk.{block}.{x}.weight", shape, kinds(x, block))
                    for x, shape in PRODUCTS.items()]  # fmt: skip
    body = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    body += b"".join(entry(*x) for x in values.items())
    for key, shape, kind in tensors:
        body += text(key) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        body += struct.pack("<IQ", kind, 0)
    path = folder / name
    path.write_bytes(body)
    return path


def config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**LLAMA, **changes}))
    return path


def safetensors(folder, kinds, *, name="model.safetensors", blocks=range(4)):
    head = {"dtype": "F32", "shape": [1000, 64], "data_offsets": [0, 1]}
    header = {"__metadata__": {"format": "pt"}, "lm_head.weight": head}
    for block in blocks:
        for x, shape in PRODUCTS.items():
            key = f"model.layers.{block}.{NAMES[x]}.weight"
            header[key] = {"dtype": kinds(x, block), "shape": shape[::-1], "data_offsets": [0, 1]}
    data = json.dumps(header).encode()
    path = folder / name
    path.write_bytes(len(data).to_bytes(8, "little") + data)
    return path


def test_gguf_is_the_network_of_its_config(tmp_path):
    path = gguf(tmp_path, lambda *_: Q8_0)
    expected = dse.load_workload(config(tmp_path), query_len=16, context_len=32)
    found = dse.load_workload(path, query_len=16, context_len=32)
    assert (found.macs, found.weight_elements) == (expected.macs, expected.weight_elements)
    assert found.name == "Small_one"
    products = [x for x in found.layers if x.has_macs and not x.weight_is_activation]
    assert {x.name: x.weight_bits for x in products if x.name != "head"} == {
        x.name: 8.5 for x in products if x.name != "head"
    }
    assert next(x for x in products if x.name == "head").weight_bits == BITS[Q6_K]
    assert {x.input_bits for x in found.layers} == {16}
    assert any("activations" in x for x in found.notes)


def test_blocks_of_several_widths_are_cut(tmp_path):
    path = gguf(tmp_path, lambda x, block: Q6_K if x == "ffn_down" and block in (0, 3) else Q4_K)
    found = dse.load_workload(path)
    down = {x.name: (x.weight_bits, x.repeat) for x in found.layers if "down" in x.name}
    assert down == {"mlp_down": (4.5, 2), "mlp_down_6.5625b": (6.5625, 2)}
    expected = sum(64 * 160 * BITS[Q6_K if x in (0, 3) else Q4_K] for x in range(4))
    moved = (x.weight_elements * x.weight_bits * x.repeat for x in found.layers if "down" in x.name)
    assert sum(moved) == expected


def test_safetensors_has_the_widths_of_its_header(tmp_path):
    config(tmp_path)
    path = safetensors(tmp_path, lambda x, _: "F8_E4M3" if x.startswith("ffn") else "BF16")
    found = dse.load_workload(path)
    bits = {x.name: x.weight_bits for x in found.layers if x.has_macs}
    assert (bits["mlp_down"], bits["query"], bits["projection"], bits["head"]) == (8, 16, 16, 32)
    assert found.macs == dse.load_workload(tmp_path / "config.json").macs


def test_safetensors_in_parts(tmp_path):
    config(tmp_path)
    for part in (1, 2):
        path = safetensors(tmp_path, lambda _, block: "F16" if block < 2 else "I8",
                           name=f"model-0000{part}-of-00002.safetensors",
                           blocks=range(2 * part - 2, 2 * part))  # fmt: skip
    found = dse.load_workload(path)
    assert {x.weight_bits for x in found.layers if x.name.startswith("query")} == {8, 16}
    path.unlink()
    with pytest.raises(DseError, match="2 files must lie side by side, got 1"):
        dse.load_workload(tmp_path / "model-00001-of-00002.safetensors")


def test_a_quantised_network_has_what_its_config_says(tmp_path):
    config(tmp_path, quantization_config={"quant_method": "gptq", "bits": 4})
    path = safetensors(tmp_path, lambda *_: "I32")
    bits = {x.name: x.weight_bits for x in dse.load_workload(path).layers if x.has_macs}
    assert bits["query"] == 4


def message(path, **sizes):
    with pytest.raises(DseError) as caught:
        dse.load_workload(path, **sizes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_wrong_files(tmp_path):
    good = gguf(tmp_path, lambda *_: Q8_0).read_bytes()
    path = tmp_path / "wrong.gguf"
    assert "that exists" in message(path)
    for size in range(0, len(good), 997):
        path.write_bytes(good[:size])
        assert ".gguf" in message(path)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    assert "cannot be read as .gguf" in message(path)
    assert "'rwkv' is not known" in message(
        gguf(tmp_path, lambda *_: Q8_0, **{"general.architecture": "rwkv"})
    )
    assert "type 99, which is not known" in message(gguf(tmp_path, lambda *_: 99))
    random = np.random.default_rng(0)
    for _ in range(100):
        changed = np.frombuffer(good, np.uint8).copy()
        changed[random.integers(0, 400, 3)] = random.integers(0, 256, 3)
        path.write_bytes(changed.tobytes())
        with suppress(DseError):
            dse.load_workload(path)
            continue
        message(path)


def test_wrong_safetensors(tmp_path):
    path = safetensors(tmp_path, lambda *_: "BF16")
    assert "needs the network's config.json beside it" in message(path)
    config(tmp_path)
    good = path.read_bytes()
    for content in (b"", b"\0" * 8, b"\xff" * 99, good[:200], b"\2\0\0\0\0\0\0\0[]"):
        path.write_bytes(content)
        assert "cannot be read as .safetensors" in message(path)
    assert "dtype" not in message(safetensors(tmp_path, lambda *_: "F99"))
    assert "has no key 'height'" in message(safetensors(tmp_path, lambda *_: "F16"), height=3)
