"""Train the upper layers for polarity and intent on the corpus: ``python -m models.training``.

The lower layers are not tuned, so their output is computed once per text and kept in memory; an
epoch then costs only the upper layers. Fixed seeds; two CPU cores take some ten minutes.
"""

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from models.corpus import Opinion, load_corpus
from models.embedding import Encoder, Tap
from models.sentiment import INTENTS, POLARITIES, build_module

LAYER = 8  # the upper 4 of 12 layers: a third more work than the vectors alone
EPOCHS = 3
BATCH = 32
LEARNING_RATE = 2e-4
LAYER_DECAY = 0.9  # of the learning rate, from the top layer down
HEAD_FACTOR = 3.0
WEIGHT_DECAY = 0.01
WARM_UP = 0.08
SMOOTHING = 0.05  # label smoothing (Szegedy et al. 2016, doi:10.1109/CVPR.2016.308)
INTENT_WEIGHT = 0.5
WEIGHTS = Path(__file__).parent / "weights" / "sentiment"


class HiddenStates:
    """What flows into the first tuned layer for each text, and the plain vectors."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], layer: int) -> None:
        self.tokens: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        self.pooled = torch.zeros(len(texts), encoder.dim)
        with torch.inference_mode(), Tap(encoder.model, layer) as tap:
            for chosen, features in encoder.batches(list(texts)):
                vectors = encoder.model(features)["sentence_embedding"].float()
                for place, row in enumerate(chosen):
                    length = int(features["attention_mask"][place].sum())
                    self.tokens[row] = tap.hidden[place, :length].float().clone()
                    self.pooled[row] = vectors[place]

    def collate(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any], torch.Tensor]:
        """Return the module's inputs for some rows: hidden, mask, layer inputs, pooled."""
        longest = max(len(self.tokens[row]) for row in rows)
        hidden = torch.zeros(len(rows), longest, self.pooled.shape[1])
        mask = torch.zeros(len(rows), longest)
        for place, row in enumerate(rows):
            length = len(self.tokens[row])
            hidden[place, :length] = self.tokens[row]
            mask[place, :length] = 1
        hidden_from = torch.zeros(len(rows), 1, 1, longest).masked_fill(mask[:, None, None, :] == 0, -1e9)
        inputs = {"attention_mask": hidden_from.expand(-1, -1, longest, -1)}
        return hidden, mask, inputs, self.pooled[list(rows)].clone()


def train_module(
    encoder: Encoder, opinions: Sequence[Opinion], states: HiddenStates, *, seed: int, layer: int, epochs: int
) -> torch.nn.Module:
    """Return the tuned upper layers with their head, in evaluation mode."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    module = build_module(encoder, layer).train()
    polarity = torch.tensor([POLARITIES.index(opinion.polarity) for opinion in opinions])
    intent = torch.tensor([INTENTS.index(opinion.intent) for opinion in opinions])
    optimiser = torch.optim.AdamW(_parameter_groups(module), weight_decay=WEIGHT_DECAY)
    rates = [group["lr"] for group in optimiser.param_groups]
    n_steps, step = epochs * math.ceil(len(opinions) / BATCH), 0
    for epoch in range(epochs):
        losses = []
        for rows in _shuffled_batches([len(tokens) for tokens in states.tokens], draw):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * _schedule(step, n_steps)
            logits = module(*states.collate(rows))
            loss = functional.cross_entropy(logits[:, :3], polarity[rows], label_smoothing=SMOOTHING)
            loss = loss + INTENT_WEIGHT * functional.cross_entropy(
                logits[:, 3:], intent[rows], label_smoothing=SMOOTHING
            )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            step += 1
        print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.3f}", flush=True)
    return module.eval()


def predict_logits(module: torch.nn.Module, states: HiddenStates) -> np.ndarray:
    """Return logits (n, 8) of every text whose hidden states are given."""
    order = np.argsort([len(tokens) for tokens in states.tokens], kind="stable")
    out = np.zeros((len(order), len(POLARITIES) + len(INTENTS)), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64].tolist()
            out[rows] = module(*states.collate(rows)).numpy()
    return out


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimises the negative log-likelihood (Guo et al. 2017, arXiv:1706.04599)."""
    candidates = np.geomspace(0.5, 4.0, 200)
    tensor, target = torch.tensor(logits), torch.tensor(labels)
    losses = [float(functional.cross_entropy(tensor / value, target)) for value in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 4)


def save_weights(module: torch.nn.Module, encoder: Encoder, card: dict[str, Any], folder: Path) -> None:
    """Write model.safetensors (float16) and config.json."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in module.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:12]
    config = {"model_id": f"sentiment-{digest}", "encoder": encoder.model_id, **card}
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Train on the whole corpus and write the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    started = time.monotonic()
    encoder, opinions = Encoder.from_pretrained(), load_corpus()
    states = HiddenStates(encoder, [opinion.text for opinion in opinions], LAYER)
    print(f"{len(opinions)} opinions, hidden states after {time.monotonic() - started:.0f} s", flush=True)
    module = train_module(
        encoder, opinions, states, seed=arguments.seed, layer=LAYER, epochs=arguments.epochs
    )
    card = {
        "layer": LAYER,
        "temperature": [1.0, 1.0],
        "n_opinions": len(opinions),
        "epochs": arguments.epochs,
        "seed": arguments.seed,
        "torch": torch.__version__,
    }
    save_weights(module, encoder, card, arguments.out)
    print(f"{arguments.out}: trained in {time.monotonic() - started:.0f} s", flush=True)


def _parameter_groups(module: Any) -> list[dict[str, Any]]:
    n_layers = len(module.layers)
    groups: list[dict[str, Any]] = [
        {"params": list(upper.parameters()), "lr": LEARNING_RATE * LAYER_DECAY ** (n_layers - 1 - depth)}
        for depth, upper in enumerate(module.layers)
    ]
    return [*groups, {"params": list(module.head.parameters()), "lr": LEARNING_RATE * HEAD_FACTOR}]


def _schedule(step: int, n_steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up, then linear decay to 0."""
    return min(1.0, (step + 1) / (WARM_UP * n_steps)) * max(0.0, (n_steps - step) / n_steps)


def _shuffled_batches(lengths: Sequence[int], draw: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches of similar length in random order, over a random order of the rows."""
    order = draw.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), BATCH * 32):
        block = sorted(order[start : start + BATCH * 32].tolist(), key=lambda row: (lengths[row], row))
        batches += [block[at : at + BATCH] for at in range(0, len(block), BATCH)]
    for place in draw.permutation(len(batches)):
        yield batches[place]


if __name__ == "__main__":
    main()
