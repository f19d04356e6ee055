"""A Consilium specialist in Python: serves a folder of .txt and .md files; `--help` says how to start it."""

import argparse
import hashlib
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from texts import SENTENCE, Index, read

# The schema is read as it stands in the repository, so that no generated code can fall behind it.
sys.path.append(str(Path(__file__).resolve().parents[2] / "proto"))
wire, services = grpc.protos_and_services("consilium/v1/specialist.proto")
Card = grpc.protos("consilium/v1/card.proto").Card

SERVICE = "consilium.v1.SpecialistService"
ANSWERS_MAX = 32  # under way at a time
SPARE_THREADS = 8  # so that a card and health are told while all answers are under way
REQUEST_BYTES_MAX = 1 << 20
GRACE_S = 5
PASSAGES_MAX = 100_000
SAMPLES_MAX = 128  # the longest of 128 stay below the card's 1 MiB


class Specialist(services.SpecialistServiceServicer):
    """Answers with the sentences of one passage, word for word."""

    def __init__(self, card: Any, index: Index) -> None:
        self.card, self.license, self.index = card.SerializeToString(deterministic=True), card.license, index
        self.room = threading.BoundedSemaphore(ANSWERS_MAX)

    def Describe(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The card, the same bytes each time."""
        return wire.DescribeResponse(card=self.card)

    def Prototypes(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """None: the router embeds the card's sample texts."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "this specialist has no encoder: route it by its card's texts")

    def Answer(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """The best passage, its sentences and the end."""
        if problem := invalid(request):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
        if not self.room.acquire(blocking=False):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{ANSWERS_MAX} answers are under way: ask again later")
        # The room comes back when the stream has ended, however it ends.
        if not context.add_callback(self.room.release):
            self.room.release()
        return self.events(request.turns[-1].text)

    def events(self, question: str) -> Iterator[Any]:
        """The answer's events in the contract's order."""
        if not (found := self.index.best(question)):
            yield wire.AnswerResponse(done=wire.Done(outcome=wire.OUTCOME_NO_ANSWER))
            return
        passage, share = found
        yield wire.AnswerResponse(
            passage=wire.Passage(
                passage_id=passage.id, title=passage.title, text=passage.text, license=self.license, similarity=share
            )
        )
        start = 0
        for sentence in SENTENCE.findall(passage.text):
            # Ranges count bytes of UTF-8, where Python's strings count characters.
            end = start + len(sentence.encode())
            citation = wire.Citation(passage_id=passage.id, start_bytes=start, end_bytes=end)
            yield wire.AnswerResponse(words=wire.Words(text=sentence, citation=citation))
            start = end
        yield wire.AnswerResponse(done=wire.Done(outcome=wire.OUTCOME_ANSWERED))


def invalid(request: Any) -> str | None:
    """What is wrong with a request, as "field: problem"."""
    if not 1 <= len(request.request_id) <= 64:
        return "request_id: must have 1 to 64 characters"
    if not 1 <= request.passages_max <= 32:
        return "passages_max: must be 1 to 32"
    if not 1 <= len(request.turns) <= 64:
        return f"turns: has {len(request.turns)} entries, where 1 to 64 are allowed"
    for at, turn in enumerate(request.turns):
        if turn.role not in (wire.ROLE_USER, wire.ROLE_ASSISTANT):
            return f"turns[{at}].role: is missing"
        if not turn.text.strip() or len(turn.text.encode()) > 65_536:
            return f"turns[{at}].text: must have 1 to 65536 bytes, and not be blank"
    return None if request.turns[-1].role == wire.ROLE_USER else "turns: must end with a turn of the user"


def main() -> None:
    """Reads the folder, serves until SIGTERM or SIGINT, and lets running answers end."""
    options = argparse.ArgumentParser(description="Serve a folder of .txt and .md files as a Consilium specialist.")
    options.add_argument("folder", type=Path, help="the texts, in UTF-8")
    for name, meaning in (("id", "name in the fleet"), ("title", "the domain"), ("institution", "who answers for it")):
        options.add_argument(f"--{name}", required=True, help=meaning)
    options.add_argument("--description", help="what it covers and what not")
    options.add_argument("--license", default="All rights reserved", help="license of its words")
    options.add_argument("--notice", default="", help="shown under its words")
    options.add_argument("--listen", default="127.0.0.1:0", help="host:port; port 0 takes a free one")
    given = options.parse_args()
    passages = list(read(given.folder))
    if not 1 <= len(passages) <= PASSAGES_MAX:
        sys.exit(f"{given.folder}: {len(passages)} passages in its .txt and .md files: 1 to {PASSAGES_MAX} are served")
    server = grpc.server(
        ThreadPoolExecutor(ANSWERS_MAX + SPARE_THREADS),
        maximum_concurrent_rpcs=ANSWERS_MAX + SPARE_THREADS,
        # Without the second a port that is taken would be shared in silence.
        options=[("grpc.max_receive_message_length", REQUEST_BYTES_MAX), ("grpc.so_reuseport", 0)],
    )
    try:
        port = server.add_insecure_port(given.listen)
    except RuntimeError:
        sys.exit(f"cannot listen on {given.listen}: is the port free, and the address this host's?")
    url = f"http://{given.listen.rpartition(':')[0]}:{port}"
    card = Card(
        specialist_id=given.id,
        title=given.title,
        institution=given.institution,
        description=given.description or f"{given.title}: texts of {given.institution}.",
        sample_texts=[f"{p.title}\n{p.text}" for p in passages[:: -(-len(passages) // SAMPLES_MAX)]],
        license=given.license,
        notice=given.notice,
        public_endpoint=url,
        generator="bm25 extractive",
        passage_count=len(passages),
    )
    card.revision = hashlib.sha256(card.SerializeToString(deterministic=True) + repr(passages).encode()).hexdigest()
    services.add_SpecialistServiceServicer_to_server(Specialist(card, Index(passages)), server)
    healthy = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    for name in ("", SERVICE):
        healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    print(f"listening on {url}", flush=True)
    stop.wait()
    healthy.enter_graceful_shutdown()
    server.stop(GRACE_S).wait()


if __name__ == "__main__":
    main()
