"""A Consilium specialist in Python: serves a folder of .txt and .md files; `--help` says how to start it."""

import argparse
import hashlib
import math
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

# The schema is read as it stands in the repository, so that no generated code can fall behind it.
sys.path.append(str(Path(__file__).resolve().parents[2] / "proto"))
wire, services = grpc.protos_and_services("consilium/v1/specialist.proto")
from signing import Signer, Tree  # noqa: E402: it reads the schema too

ANSWERS_MAX, CALLS_MAX = 32, 256  # answered at a time; together with those that wait, before others are refused
SAMPLES_MAX = 60  # passages in the card: it stays below 256 KiB where each is as long as it can be
SENTENCE = re.compile(r".+?(?:[.!?…] |$)")
# Up to 800 characters: all that is left, or else to the end of a sentence, or else of a word.
PIECE = re.compile(r".{1,800}$|.{1,800}[.!?…](?= )|.{1,800}(?= )|.{1,800}")
# They stand in any English question and tell nothing of its subject; another language has its own.
STOP_WORDS = set("""a about an and are as at be by can did do does for from has have how i if in is it its me my of on
or our should so that the their there they this to was we were what when where which who why will with you""".split())


def clean(text: str) -> str:
    """`text` in one line, without what the contract or protobuf refuses: control and broken characters."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", text).split())


def read(folder: Path, license: str) -> Iterator[Any]:
    """The passages in `folder`, cut at blank lines, each titled by the heading above it or the file's name."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.suffix not in (".txt", ".md") or not file.is_file() or "/." in f"/{name}":
            continue
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            sys.exit(f"{file}: is not UTF-8: convert it, or take it out of the folder")
        name, title, number = clean(name)[-180:], clean(file.stem)[:200], 0
        for paragraph in filter(None, re.split(r"^(#{1,6} .*)$|\n\s*\n", text, flags=re.MULTILINE)):
            if re.match(r"#{1,6} ", paragraph):
                title = clean(paragraph.lstrip("#"))[:200]
                continue
            for number, piece in enumerate(PIECE.findall(clean(paragraph)), number + 1):
                yield wire.Passage(passage_id=f"{name}#{number}", title=title, text=piece.strip(), license=license)


def words(text: str) -> set[str]:
    """The words of `text` that tell what it is about."""
    return set(re.findall(r"\w+", text.casefold())) - STOP_WORDS


def invalid(request: Any) -> str | None:
    """What is wrong with a request, as "field: problem"."""
    if not 1 <= len(request.request_id) <= 64:
        return "request_id: must have 1 to 64 characters"
    if not 1 <= request.passages_max <= 32:
        return "passages_max: must be 1 to 32"
    if not 1 <= len(request.turns) <= 64:
        return "turns: must have 1 to 64 entries"
    if len(request.salt) not in (0, 32):
        return "salt: must have 32 bytes or none"
    for at, turn in enumerate(request.turns):
        if turn.role not in (wire.ROLE_USER, wire.ROLE_ASSISTANT):
            return f"turns[{at}].role: is missing"
        if not turn.text.strip() or len(turn.text.encode()) > 65_536:
            return f"turns[{at}].text: must have 1 to 65536 bytes, and not be blank"
    return None if request.turns[-1].role == wire.ROLE_USER else "turns: must end with a turn of the user"


class Specialist(services.SpecialistServiceServicer):
    """Answers with the sentences of one passage, word for word."""

    def __init__(self, card: Any, passages: list[Any], tree: Tree, signer: Signer | None) -> None:
        self.card, self.passages, self.tree, self.signer = card, passages, tree, signer
        shown = card.SerializeToString()
        signature = signer.signature("card", shown) if signer else b""
        self.description = wire.DescribeResponse(card=shown, signature=signature)
        self.words = [words(f"{passage.title} {passage.text}") for passage in passages]
        self.holders = Counter(word for held in self.words for word in held)

    def Describe(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The card, the same bytes each time."""
        return self.description

    def Prove(self, request: Any, context: grpc.ServicerContext) -> Any:
        """That it holds the key in its card."""
        if not self.signer:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "this specialist has no key")
        if len(request.nonce) != 32 or not 1 <= len(request.router) <= 120:
            field = "router: must have 1 to 120 characters" if len(request.nonce) == 32 else "nonce: must have 32 bytes"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, field)
        return wire.ProveResponse(possession=self.signer.possession(self.card, request))

    def Prototypes(self, request: Any, context: grpc.ServicerContext) -> Any:
        """None: the router embeds the card's sample texts."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "this specialist has no encoder: route it by its card's texts")

    def Answer(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """The best passage, its sentences and the end."""
        if problem := invalid(request):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
        passages, words, end = self.best(request.turns[-1].text), [], 0
        for passage in passages:
            yield wire.AnswerResponse(passage=passage)
            for sentence in SENTENCE.findall(passage.text):
                start, end = end, end + len(sentence.encode())  # bytes of UTF-8, where strings count characters
                citation = wire.Citation(passage_id=passage.passage_id, start_bytes=start, end_bytes=end)
                words.append(wire.Words(text=sentence, citation=citation))
                yield wire.AnswerResponse(words=words[-1])
        outcome = wire.OUTCOME_ANSWERED if passages else wire.OUTCOME_NO_ANSWER
        paths = [self.tree.path(self.passages.index(passage)) for passage in passages]
        signs = self.signer and request.salt
        statement = self.signer.statement(self.card, request, passages, words, outcome) if signs else None
        yield wire.AnswerResponse(done=wire.Done(outcome=outcome, statement=statement, paths=paths))

    def best(self, question: str) -> list[Any]:
        """None, or the one that shares most words with `question`, rare ones above all: put your search here."""
        known = words(question) & self.holders.keys()
        rarity = {word: math.log(1 + len(self.passages) / self.holders[word]) for word in known}
        scores = [sum(rarity[word] for word in rarity if word in held) for held in self.words]
        return [self.passages[scores.index(max(scores))]] if known else []


def main() -> None:
    """Reads the folder, serves until SIGTERM or SIGINT, and lets running answers end."""
    options = argparse.ArgumentParser(description="Serve a folder of .txt and .md files as a Consilium specialist.")
    options.add_argument("folder", type=Path, help="the texts, in UTF-8")
    options.add_argument("--id", required=True, help="its name in the fleet")
    options.add_argument("--title", required=True, help="the domain")
    options.add_argument("--institution", required=True, help="who answers for its words")
    options.add_argument("--license", default="All rights reserved", help="license of its words")
    options.add_argument("--question", action="append", default=[], help="one that it answers well; up to 64 times")
    options.add_argument("--listen", default="127.0.0.1:0", help="host:port; port 0 takes a free one")
    options.add_argument("--key", type=Path, help="PEM file of its Ed25519 key; without, it signs nothing")
    given = options.parse_args()
    if not (passages := list(read(given.folder, given.license))):
        options.error(f"{given.folder}: holds no text in .txt or .md files: name a folder that does")
    signer, tree = Signer(given.key) if given.key else None, Tree(passages)
    alone = [("grpc.so_reuseport", 0)]  # a port that is taken would otherwise be shared in silence
    server = grpc.server(ThreadPoolExecutor(ANSWERS_MAX), options=alone, maximum_concurrent_rpcs=CALLS_MAX)
    url = f"http://{given.listen.rpartition(':')[0]}:{server.add_insecure_port(given.listen)}"
    card = grpc.protos("consilium/v1/card.proto").Card(
        specialist_id=given.id, title=given.title, institution=given.institution, license=given.license,
        description=f"{given.title}: texts of {given.institution}, quoted.", example_questions=given.question,
        sample_texts=[f"{p.title}\n{p.text}" for p in passages[:: math.ceil(len(passages) / SAMPLES_MAX)]],
        public_endpoint=url, generator="extractive", passage_count=len(passages),
        public_key=signer.public if signer else b"", passages_root=tree.root,
    )
    card.revision = hashlib.sha256(b"".join(part.SerializeToString() for part in [card, *passages])).hexdigest()
    services.add_SpecialistServiceServicer_to_server(Specialist(card, passages, tree, signer), server)
    healthy = health.HealthServicer()
    healthy.set("consilium.v1.SpecialistService", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    server.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop(grace=5))
    print(f"listening on {url}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
