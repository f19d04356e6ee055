"""Writes reference.json: what sentence-transformers makes of a few texts.

    pip install sentence-transformers
    HF_HUB_OFFLINE=1 python embedding/tests/reference.py models/all-MiniLM-L6-v2

The vectors are rounded to six digits, which costs less than 1e-6 of cosine.
"""

import json
import pathlib
import sys

from sentence_transformers import SentenceTransformer

CLOUD = (
    "The cloud chamber was the first device that let anyone see the path of a single particle. "
    "Moist air is cooled by a sudden expansion until it holds more vapour than it should, and each "
    "ion that a passing particle leaves behind becomes the seed of a droplet. "
)
HARBOUR = (
    "Every morning the harbour master writes the height of the tide, the direction of the wind and "
    "the names of the boats that have left into a ledger bound in green cloth. "
)

TEXTS = [
    "How long does it take for a broken wrist to heal?",
    "Lighthouse",
    "Die Straßenbahn fährt über die Brücke nach Zürich; naïve cafés dürfen öffnen – 東京 2024!",
    "def area(radius): return 3.14159 * radius ** 2",
    "My landlord kept the deposit. What can I do, and by when?\n\n- I moved out in May\n- no damage",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    # More than 128 tokens: tokenizer.json would cut it there.
    CLOUD * 3,
    # More than 256 tokens: cut at 256.
    HARBOUR * 5 + CLOUD * 4,
]

model = SentenceTransformer(sys.argv[1], device="cpu")
model.max_seq_length = 256
for text in TEXTS:
    print(len(model.tokenizer(text)["input_ids"]), "tokens:", text[:40].replace("\n", " "))
vectors = model.encode(TEXTS, batch_size=1)
cases = [
    {"text": text, "vector": [round(float(x), 6) for x in vector]}
    for text, vector in zip(TEXTS, vectors)
]
lines = ",\n".join(json.dumps(case) for case in cases)
pathlib.Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n")
