"""A deployment's own words and its key: what the config says reaches the masks, the key stays closed."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.config import ConfigError, load_config
from flows.keys import deployment_key
from pipeline.mask import WordList
from pipeline.opinions import Annotator, mask_names, opinion_units

CONFIG = """
[[sources]]
name = "survey"
path = "survey.csv"
columns = { text = "comment" }
"""


def written(folder: Path, privacy: str) -> Path:
    path = folder / "night.toml"
    path.write_text(CONFIG + "\n[privacy]\n" + privacy, encoding="utf-8")
    return path


def test_words_stand_in_the_config(tmp_path):
    config = load_config(written(tmp_path, 'mask = ["架空電機"]\nkeep = ["小林製麺"]\n'))
    assert config.privacy.words == WordList(mask=("架空電機",), keep=("小林製麺",))


def test_words_may_stand_in_a_file_one_a_line(tmp_path):
    (tmp_path / "mask.txt").write_text("# 社外秘\n架空電機\n\n ひみつ計画 \n", encoding="utf-8-sig")
    config = load_config(written(tmp_path, 'mask = "mask.txt"\n'))
    assert config.privacy.words.mask == ("架空電機", "ひみつ計画")


def test_without_the_section_nothing_is_listed(tmp_path):
    path = tmp_path / "night.toml"
    path.write_text(CONFIG, encoding="utf-8")
    assert load_config(path).privacy.words == WordList()


@pytest.mark.parametrize(
    ("privacy", "message"),
    [
        ('mask = "none.txt"\n', "privacy.mask: .*none.txt cannot be read: No such file"),
        ('keep = ["架空", "林"]\n', "privacy.keep: a word must have at least 2 characters; word 2 has fewer"),
        ("masks = []\n", "unknown key 'masks' under privacy; did you mean 'mask'?"),
    ],
)
def test_lists_that_cannot_be_used_are_named_in_one_line(tmp_path, privacy, message):
    with pytest.raises(ConfigError, match=message) as raised:
        load_config(written(tmp_path, privacy))
    assert "林" not in str(raised.value)


class Remembering:
    """A cache in memory that tells which namespaces were asked."""

    def __init__(self):
        self.kept = {}

    def cache_has(self, namespace, keys):
        return {key for key in keys if (namespace, key) in self.kept}

    def cache_get(self, namespace, keys):
        return {key: self.kept[namespace, key] for key in keys if (namespace, key) in self.kept}

    def cache_put(self, namespace, values):
        self.kept |= {(namespace, key): value for key, value in values.items()}


def test_other_lists_mask_a_remembered_text_again(parser):
    cache = Remembering()

    def masked(words):
        return mask_names(pl.Series(["架空電機の小林が親切"]), Annotator(cache, b"s", words=words))[0]

    assert masked(WordList()) == "架空電機の[氏名]が親切"
    assert masked(WordList(mask=("架空電機",))) == "[伏字]の[氏名]が親切"
    assert masked(WordList(keep=("小林",))) == "架空電機の小林が親切"
    assert masked(WordList()) == "架空電機の[氏名]が親切"


def test_a_mask_never_splits_and_its_unit_keeps_its_words(parser):
    text = "[氏名]さんの説明は丁寧でしたが、[暗証番号]の再発行は遅いです。[伏字]の商品は良い"
    feedback = pl.DataFrame({"source": "s", "feedback_id": "1", "text": text, "received_at": datetime(2026, 11, 1, tzinfo=UTC)})
    units = opinion_units(feedback, Annotator(Remembering(), b"s"), lambda texts: np.full((len(texts), 3), 1 / 3))
    assert units["unit_text"].to_list() == [
        "[氏名]さんの説明は丁寧でした",
        "[暗証番号]の再発行は遅いです",
        "[伏字]の商品は良い",
    ]
    assert not {"暗証番号", "暗証", "伏字", "伏せ字", "氏名"} & set(units["tokens"].explode())


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    monkeypatch.delenv("KIKITORI_KEY", raising=False)
    return tmp_path / ".kikitori-key"


def test_a_new_key_is_its_owners_alone(tmp_path, key_file):
    key = deployment_key(tmp_path)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert deployment_key(tmp_path) == key and len(key) == 64


def test_a_key_others_may_read_is_closed_before_use(tmp_path, key_file):
    key_file.write_text("k" * 64, encoding="ascii")
    key_file.chmod(0o664)
    assert deployment_key(tmp_path) == b"k" * 64
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_a_key_that_cannot_be_closed_is_refused(tmp_path, key_file, monkeypatch):
    key_file.write_text("k" * 64, encoding="ascii")
    key_file.chmod(0o644)

    def not_ours(*_):
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", not_ours)
    with pytest.raises(ConfigError, match=r"readable by its owner alone \(mode 0600\); it has 0644"):
        deployment_key(tmp_path)


def test_an_empty_key_is_refused(tmp_path, key_file):
    key_file.touch(mode=0o600)
    with pytest.raises(ConfigError, match="holds no key"):
        deployment_key(tmp_path)
