"""A config.json with its keys checked, and what is made of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from dse.errors import DseError
from dse.importers.transformers.layers import Item
from dse.workload import LARGEST_BOUND

ALIASES = {
    "hidden_size": ("n_embd", "n_embed", "d_model", "dim"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads", "attention_heads"),
    "num_key_value_heads": ("num_kv_heads",),
    "intermediate_size": ("n_inner", "ffn_dim", "d_ff", "hidden_dim", "ffn_hidden_size"),
    "max_position_embeddings": ("n_positions", "max_seq_len"),
    "in_channels": ("in_chans",),
    "num_experts": ("num_local_experts", "n_routed_experts", "moe_num_experts"),
    "num_experts_per_tok": ("moe_k",),
    "n_shared_experts": ("moe_num_shared_experts",),
}
"""Other names of a key; a file has one of them."""

SIZES = frozenset(
    ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
     "d_model", "d_ff", "encoder_layers", "decoder_layers", "depths", "hidden_sizes", "embed_dim",
     "encoder_attention_heads", "decoder_attention_heads", "encoder_ffn_dim",
     "decoder_ffn_dim", "kv_lora_rank")
)  # fmt: skip
"""What a file must say itself: only a part of a larger network may leave it to its family."""


@cache
def _defaults() -> Mapping[str, Mapping[str, Any]]:
    """Return what each family means by a key that is not given (transformers 5.24's classes)."""
    text = resources.files(__package__).joinpath("defaults.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@dataclass(frozen=True, slots=True)
class Config:
    """A config.json, or a part of one, its keys checked as they are read.

    Attributes
    ----------
    path, values
        The file, and what it says.
    family
        Its ``model_type``.
    where
        The key of the part, with a dot; empty for the whole.
    seen
        The keys that were asked for, those of parts with the parts' own.
    """

    path: Path
    values: Mapping[str, Any]
    family: str
    where: str = ""
    seen: set[str] = field(default_factory=set)

    def get(self, key: str) -> Any:
        """Return a value as the file gives it, by any of its names, else its family's default."""
        names = (key, *ALIASES.get(key, ()))
        self.seen.update(self.where + name for name in names)
        for name in names:
            if name in self.values:
                return self.values[name]
        defaults = _defaults().get(self.family, {})
        if key in SIZES and not self.where:
            return None
        return next((defaults[name] for name in names if name in defaults), None)

    def number(self, key: str, *, default: int | None = None, least: int = 0) -> int:
        """Return a whole number of at least `least`; the default where none is given.

        Raises
        ------
        DseError
            If it is none, or not given and without a default.
        """
        value = self.get(key)
        if value is None:
            if default is None:
                self.refuse(f"needs a value for {self.where + key!r}, got none")
            return default
        if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_BOUND:
            value = int(value)
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not least <= value <= LARGEST_BOUND
        ):
            rule = f"must be a whole number from {least} to {LARGEST_BOUND}"
            self.refuse(f"{self.where}{key} {rule}, got {value!r}")
        return int(value)

    def positive(self, key: str, *, default: int | None = None) -> int:
        """Return a whole number from 1."""
        return self.number(key, default=default, least=1)

    def ratio(self, key: str, *, default: float) -> float:
        """Return a number above 0 and at most 1,000; the default where none is given."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1000:
            self.refuse(f"{self.where}{key} must be a number above 0, got {value!r}")
        return float(value)

    def flag(self, key: str | bool) -> bool:
        """Return a key that is true or false; a constant as it is."""
        return key if isinstance(key, bool) else bool(self.get(key))

    def numbers(self, key: str) -> list[int]:
        """Return a list of whole numbers from 1."""
        value = self.get(key)
        if not isinstance(value, list) or not value:
            self.refuse(f"needs a list for {self.where + key!r}, got {value!r}")
        parts = (self.part_of({key: x}) for x in value)
        return [part.positive(key) for part in parts]

    def choice(self, key: str, known: Sequence[object]) -> Any:
        """Return a value that is one of those known."""
        value = self.get(key)
        if value not in known:
            names = ", ".join(str(x) for x in known)
            self.refuse(f"{self.where}{key} must be one of {names}, got {value!r}")
        return value

    def part_of(self, values: Mapping[str, Any]) -> "Config":
        """Return the same file with other values."""
        return replace(self, values=values)

    def having(self, **values: object) -> "Config":
        """Return the config with some values put in."""
        return replace(self, values={**self.values, **values})

    def inner(self, key: str, family: str = "") -> "Config":
        """Return a part of the file, whose family it names itself unless one is given."""
        values = self.values.get(key) or {}
        if not isinstance(values, Mapping):
            self.refuse(f"{self.where}{key} must hold an object, got {values!r}")
        default = _defaults().get(self.family, {}).get(key, {}).get("model_type", "")
        name = family or str(values.get("model_type") or default)
        self.seen.add(self.where + key)
        return Config(self.path, values, name, f"{self.where}{key}.", self.seen)

    def refuse(self, rule: str) -> NoReturn:
        """Raise a DseError that names the file."""
        raise DseError(f"{self.path}: {rule}")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that are computed, and those that they attend to.

    Attributes
    ----------
    queries, context
        Of the network, or of its decoder where it has one.
    sources
        Tokens that an encoder reads ahead of it.
    image
        Height and width of an image; 0 for that of the file. [pixels]
    inputs
        Images, or sounds, that one inference reads.
    """

    queries: int = 1
    context: int = 1
    sources: int = 1
    image: int = 0
    inputs: int = 1

    @property
    def is_start(self) -> bool:
        """Whether all of the context is computed, so what comes before it is, too."""
        return self.queries == self.context


@dataclass(frozen=True, slots=True)
class Made:
    """Layers of a network, the learned elements of what is not run, and what to know of it."""

    items: list[Item]
    idle: int = 0
    notes: tuple[str, ...] = ()


Build = Callable[[Config, Tokens], Made]


def learned(items: Sequence[Item]) -> int:
    """Return the learned elements of layers."""
    total = 0
    for item in items:
        own = item.get("extra_parameters", 0)
        if "op" not in item and not item.get("weight_is_activation"):
            size = 1
            for loop in ("g", "k", "c", "fy", "fx"):
                size *= item.get(loop, 1)
            own += size
        total += own * (1 if item.get("sequential") else item.get("repeat", 1))
    return total


def architecture(config: Config) -> str:
    """Return the model that the file is of; empty if it does not say."""
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def has_head(config: Config) -> bool:
    """Whether a language model ends in a head: all do but those named a bare model."""
    name = architecture(config)
    return not name.endswith("Model") or "LMHead" in name
