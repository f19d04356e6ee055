"""Texts: cut into passages, and searched. A specialist over a database would replace this file."""

import math
import re
import sys
import textwrap
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

PASSAGES_MAX = 100_000
PASSAGE_CHARACTERS_MAX = 800
TITLE_CHARACTERS_MAX = 200
SENTENCE = re.compile(r""".+?(?:[.!?…]["'”’)\]]*(?=\s|$)|$)\s*""")
# They stand in any English question and tell nothing of its subject; another language has its own.
STOP_WORDS = set(
    "a about an and are as at be by can did do does for from had has have how i if in is it its me my of on or our "
    "should so that the their there they this to was we were what when where which who why will with you "
    "your".split()
)


class Passage(NamedTuple):
    """What an answer can cite, named as in the contract."""

    passage_id: str
    title: str
    text: str


def clean(text: str) -> str:
    """`text` in one line, without what a card must not hold: control characters and broken ones."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", text).split())


def pieces(text: str) -> Iterator[str]:
    """`text` cut into passages between sentences; only a sentence that is too long alone is cut inside."""
    piece = ""
    for sentence in SENTENCE.findall(text):
        for part in textwrap.wrap(sentence, PASSAGE_CHARACTERS_MAX):
            if piece and len(piece) + 1 + len(part) > PASSAGE_CHARACTERS_MAX:
                yield piece
                piece = ""
            piece = f"{piece} {part}".strip()
    if piece:
        yield piece


def sentences(text: str) -> Iterator[tuple[str, int, int]]:
    """The sentences of `text` with their ranges, in bytes of UTF-8, where Python's strings count characters."""
    start = 0
    for sentence in SENTENCE.findall(text):
        end = start + len(sentence.encode())
        yield sentence, start, end
        start = end


def read(folder: Path) -> list[Passage]:
    """All passages in `folder`, or the end of the program where it holds none or too many."""
    passages = list(islice(paragraphs(folder), PASSAGES_MAX + 1))
    if not passages:
        sys.exit(f"{folder}: holds no text in .txt or .md files: name a folder that does")
    if len(passages) > PASSAGES_MAX:
        sys.exit(f"{folder}: holds more than {PASSAGES_MAX} passages: serve it from a real index in place of texts.py")
    return passages


def paragraphs(folder: Path) -> Iterator[Passage]:
    """The paragraphs of all texts in `folder`, titled by the heading above them or the file's name."""
    number = 0
    for file in sorted(folder.rglob("*")):
        name = clean(file.relative_to(folder).as_posix())
        if file.suffix not in (".txt", ".md") or not file.is_file() or any(p.startswith(".") for p in name.split("/")):
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            sys.exit(f"{file}: is not UTF-8: convert it, or take it out of the folder")
        title = clean(file.stem)
        for paragraph in re.split(r"\n\s*\n", text):
            while file.suffix == ".md" and (heading := re.match(r"\s*#{1,6} +(.*)(?:\n|$)", paragraph)):
                title, paragraph = clean(heading[1]) or title, paragraph[heading.end() :]
            for piece in pieces(clean(paragraph)):
                number += 1
                yield Passage(f"{name[-180:]}#{number}", title[:TITLE_CHARACTERS_MAX], piece)


def words(text: str) -> list[str]:
    """The words of `text` that tell what it is about, in one spelling."""
    found = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    return [word for word in found if word not in STOP_WORDS]


class Index:
    """Finds the passage for a question by BM25 (Robertson and Zaragoza 2009, k1 = 1.5, b = 0.75)."""

    def __init__(self, passages: list[Passage]) -> None:
        self.passages = passages
        self.postings: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self.lengths: list[int] = []
        for at, passage in enumerate(passages):
            counts = Counter(words(f"{passage.title} {passage.text}"))
            self.lengths.append(counts.total())
            for word, count in counts.items():
                self.postings[word][at] = count

    def best(self, question: str) -> tuple[Passage, float] | None:
        """The best passage and the share of the question's words that it holds; None where none has any."""
        asked = set(words(question))
        mean = sum(self.lengths) / len(self.lengths)
        scores: defaultdict[int, float] = defaultdict(float)
        for word in asked:
            found = self.postings.get(word, {})
            weight = math.log(1 + (len(self.passages) - len(found) + 0.5) / (len(found) + 0.5))
            for at, count in found.items():
                scores[at] += weight * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * self.lengths[at] / mean))
        if not scores:
            return None
        at = max(scores, key=lambda at: scores[at])
        return self.passages[at], sum(at in self.postings[word] for word in asked & self.postings.keys()) / len(asked)
