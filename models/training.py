"""Train polarity and intent on the corpus: ``python -m models.training``.

The shared layers are not tuned, so their output is computed once per text and kept in memory; an epoch then
costs only the tuned ones. First every domain is predicted by a model that saw neither it nor its neighbours'
files: those logits give the temperatures of calibration and the figures in the model's card. Then two runs learn
from everything, and the mean of their weights is shipped. ``--calibration FOLDER`` takes the temperatures from the
card of earlier weights instead of predicting every domain, which is three quarters of the time. Fixed seeds.
"""

import argparse
import copy
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

from models.calibration import expected_calibration_error, fit_temperature
from models.comments import labelled_opinions
from models.corpus import Opinion
from models.embedding import Encoder, Tap
from models.sentiment import INTENTS, N_LOGITS, POLARITIES, build_module

LAYER = 4  # shared below; the tuned tower starts from here
N_LAYERS = 4  # a third more work than the vectors alone
EPOCHS = 3
BATCH = 32
LEARNING_RATE = 2e-4
LAYER_DECAY = 0.9  # of the learning rate, from the top layer down
HEAD_FACTOR = 3.0
WEIGHT_DECAY = 0.01
WARM_UP = 0.08
SMOOTHING = 0.05  # label smoothing (Szegedy et al. 2016, doi:10.1109/CVPR.2016.308)
INTENT_WEIGHT = 0.5
N_RUNS = 2  # whose weights are averaged
WEIGHTS = Path(__file__).parent / "weights" / "sentiment"

# Files that mix domains, one group a fold: files that speak of the same things are left out together.
_GROUPS = (
    ("hard",),
    ("hard_more", "plain_clauses_a", "plain_clauses_b"),
    ("services",),
    ("voices", "mixed_comments", "comments.digital", "comments.dining", "comments.public", "comments.shops"),
    ("mail_order", "mail_order_plain", "comments.mail_order"),
    ("lodging", "lodging_reviews", "plain_reviews", "reviews", "comments.lodging"),
)


class HiddenStates:
    """What flows into the first tuned layer for each text, and the plain vectors."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], layer: int = LAYER) -> None:
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
    encoder: Encoder,
    opinions: Sequence[Opinion],
    states: HiddenStates,
    rows: Sequence[int],
    *,
    seed: int = 0,
    epochs: int = EPOCHS,
) -> torch.nn.Module:
    """Return the tuned layers with their head, in evaluation mode, trained on some rows of the opinions."""
    torch.manual_seed(0)  # every run starts from the same head: only then may weights be averaged
    module = build_module(encoder, LAYER, N_LAYERS).train()
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    polarity, intent = (torch.from_numpy(labels) for labels in label_numbers(opinions))
    optimiser = torch.optim.AdamW(_parameter_groups(module), weight_decay=WEIGHT_DECAY, fused=True)
    rates = [group["lr"] for group in optimiser.param_groups]
    lengths = {row: len(states.tokens[row]) for row in rows}
    n_steps, step = epochs * math.ceil(len(rows) / BATCH), 0
    for epoch in range(epochs):
        losses = []
        for batch in _shuffled_batches(lengths, draw):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * _schedule(step, n_steps)
            logits = module(*states.collate(batch))
            loss = functional.cross_entropy(logits[:, : len(POLARITIES)], polarity[batch], label_smoothing=SMOOTHING)
            loss = loss + INTENT_WEIGHT * functional.cross_entropy(
                logits[:, len(POLARITIES) :], intent[batch], label_smoothing=SMOOTHING
            )
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            losses.append(loss.item())
            step += 1
        print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.3f}", flush=True)
    return module.eval()


def averaged(modules: Sequence[torch.nn.Module]) -> torch.nn.Module:
    """Return one module with the mean of the weights of several runs, in evaluation mode.

    A model soup (Wortsman et al. 2022, arXiv:2203.05482): runs that start from one point end in one basin, and
    their mean is about as good as an ensemble of them at the cost of one.
    """
    states = [module.state_dict() for module in modules]
    mean = {name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]}
    module = copy.deepcopy(modules[0])
    module.load_state_dict(mean)
    return module.eval()


def predict_logits(module: torch.nn.Module, states: HiddenStates, rows: Sequence[int]) -> np.ndarray:
    """Return logits, float32 (n_rows, 8), of those rows in their order."""
    order = sorted(range(len(rows)), key=lambda place: len(states.tokens[rows[place]]))
    out = np.zeros((len(rows), N_LOGITS), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            places = order[start : start + 64]
            out[places] = module(*states.collate([rows[place] for place in places])).numpy()
    return out


def domain_folds(opinions: Sequence[Opinion]) -> np.ndarray:
    """Return the fold of each opinion, int (n,), 0–5: a domain, and what is written about the same, is in one fold."""
    mixed = {name: fold for fold, group in enumerate(_GROUPS) for name in group}
    domains = sorted({opinion.domain for opinion in opinions} - set(mixed))
    fold = mixed | {name: number % len(_GROUPS) for number, name in enumerate(domains)}
    return np.array([fold[opinion.domain] for opinion in opinions])


def out_of_domain_logits(
    encoder: Encoder, opinions: Sequence[Opinion], states: HiddenStates, *, seed: int = 0
) -> np.ndarray:
    """Return logits (n, 8) of every opinion from a model that was trained on the other folds alone."""
    folds = domain_folds(opinions)
    logits = np.zeros((len(opinions), N_LOGITS), np.float32)
    for fold in np.unique(folds):
        inside, outside = np.flatnonzero(folds == fold).tolist(), np.flatnonzero(folds != fold).tolist()
        print(f"fold {fold}: {len(outside)} opinions to learn from, {len(inside)} to predict", flush=True)
        module = train_module(encoder, opinions, states, outside, seed=seed)
        logits[inside] = predict_logits(module, states, inside)
    return logits


def label_numbers(opinions: Sequence[Opinion]) -> tuple[np.ndarray, np.ndarray]:
    """Return polarity and intent as numbers into POLARITIES and INTENTS, int64 (n,) each."""
    polarity = np.array([POLARITIES.index(opinion.polarity) for opinion in opinions])
    return polarity, np.array([INTENTS.index(opinion.intent) for opinion in opinions])


def calibration(logits: np.ndarray, opinions: Sequence[Opinion]) -> dict[str, Any]:
    """Return the temperatures of polarity and intent, and the expected calibration error before and after."""
    parts = np.split(logits, [len(POLARITIES)], axis=1)
    found: dict[str, Any] = {"temperature": [], "calibration_error": {}}
    for name, part, labels in zip(("polarity", "intent"), parts, label_numbers(opinions), strict=True):
        temperature = fit_temperature(part, labels)
        errors = [expected_calibration_error(part, labels, value) for value in (1.0, temperature)]
        found["temperature"].append(temperature)
        found["calibration_error"][name] = [round(error, 4) for error in errors]
    return found


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
    """Predict every domain from the others, calibrate, train on everything and write the weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--calibration", type=Path, help="folder of weights whose temperatures are taken")
    parser.add_argument("--logits", type=Path, help="keep the out-of-domain logits in this .npy for the benchmark")
    arguments = parser.parse_args()
    started = time.monotonic()
    encoder, opinions = Encoder.from_pretrained(), labelled_opinions()
    states = HiddenStates(encoder, [opinion.text for opinion in opinions])
    if arguments.calibration:
        earlier = json.loads((arguments.calibration / "config.json").read_text(encoding="utf-8"))
        card = {key: earlier[key] for key in ("temperature", "calibration_error")}
        card["calibrated_by"] = earlier.get("calibrated_by", earlier["model_id"])
    else:
        logits = out_of_domain_logits(encoder, opinions, states, seed=arguments.seed)
        card = calibration(logits, opinions)
        if arguments.logits:
            np.save(arguments.logits, logits)
    seeds = range(arguments.seed, arguments.seed + N_RUNS)
    rows = range(len(opinions))
    module = averaged(
        [train_module(encoder, opinions, states, rows, seed=seed, epochs=arguments.epochs) for seed in seeds]
    )
    card = {"layer": LAYER, "n_layers": N_LAYERS, **card, "epochs": arguments.epochs, "seeds": [*seeds]}
    card |= {"n_opinions": len(opinions), "torch": torch.__version__}
    save_weights(module, encoder, card, arguments.out)
    print(f"{arguments.out}: trained in {time.monotonic() - started:.0f} s", flush=True)


def _parameter_groups(module: Any) -> list[dict[str, Any]]:
    n_layers = len(module.layers)
    groups: list[dict[str, Any]] = [
        {"params": list(tuned.parameters()), "lr": LEARNING_RATE * LAYER_DECAY ** (n_layers - 1 - depth)}
        for depth, tuned in enumerate(module.layers)
    ]
    return [*groups, {"params": list(module.head.parameters()), "lr": LEARNING_RATE * HEAD_FACTOR}]


def _schedule(step: int, n_steps: int) -> float:
    """Return the factor on the learning rate: linear warm-up, then linear decay to 0."""
    return min(1.0, (step + 1) / (WARM_UP * n_steps)) * max(0.0, (n_steps - step) / n_steps)


def _shuffled_batches(lengths: dict[int, int], draw: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches of rows of similar length in random order, over a random order of the rows."""
    order = draw.permutation(list(lengths))
    batches = []
    for start in range(0, len(order), BATCH * 32):
        block = sorted(order[start : start + BATCH * 32].tolist(), key=lambda row: (lengths[row], row))
        batches += [block[at : at + BATCH] for at in range(0, len(block), BATCH)]
    for place in draw.permutation(len(batches)):
        yield batches[place]


if __name__ == "__main__":
    main()
