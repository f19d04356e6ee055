"""A Consilium specialist in Python: serves a folder of .txt and .md files; `--help` says how to start it."""

import argparse
import hashlib
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from texts import Index, read, sentences

# The schema is read as it stands in the repository, so that no generated code can fall behind it.
sys.path.append(str(Path(__file__).resolve().parents[2] / "proto"))
wire, services = grpc.protos_and_services("consilium/v1/specialist.proto")
Card = grpc.protos("consilium/v1/card.proto").Card

ANSWERS_MAX = 32  # under way at a time
SPARE_THREADS = 8  # so that a card and health are told while all answers are under way
CALLS_MAX = 256  # under way or waiting for a thread
REQUEST_BYTES_MAX = 1 << 20
GRACE_S = 5  # for answers under way when it is told to stop
SAMPLES_MAX = 64  # the longest of 64 stay below the card's 256 KiB


class Specialist(services.SpecialistServiceServicer):
    """Answers with the sentences of one passage, word for word."""

    def __init__(self, card: Any, index: Index) -> None:
        self.card, self.license, self.index = card.SerializeToString(deterministic=True), card.license, index
        self.room = threading.BoundedSemaphore(ANSWERS_MAX)

    def Describe(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The card, the same bytes each time."""
        return wire.DescribeResponse(card=self.card)

    def Prototypes(self, request: Any, context: grpc.ServicerContext) -> Any:
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
        yield wire.AnswerResponse(passage=wire.Passage(**passage._asdict(), license=self.license, similarity=share))
        for sentence, start, end in sentences(passage.text):
            citation = wire.Citation(passage_id=passage.passage_id, start_bytes=start, end_bytes=end)
            yield wire.AnswerResponse(words=wire.Words(text=sentence, citation=citation))
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


def arguments() -> argparse.Namespace:
    """What the command line says."""
    options = argparse.ArgumentParser(description="Serve a folder of .txt and .md files as a Consilium specialist.")
    options.add_argument("folder", type=Path, help="the texts, in UTF-8")
    for name, default, meaning in (
        ("id", None, "name in the fleet"),
        ("title", None, "the domain"),
        ("institution", None, "who answers for its words"),
        ("description", "", "what it covers and what not"),
        ("license", "All rights reserved", "license of its words"),
        ("notice", "", "shown under its words"),
        ("listen", "127.0.0.1:0", "host:port; port 0 takes a free one"),
    ):
        options.add_argument(f"--{name}", default=default, required=default is None, help=meaning)
    options.add_argument("--question", action="append", default=[], help="an example question, up to 64 times")
    return options.parse_args()


def main() -> None:
    """Reads the folder, serves until SIGTERM or SIGINT, and lets running answers end."""
    given = arguments()
    passages = read(given.folder)
    server = grpc.server(
        ThreadPoolExecutor(ANSWERS_MAX + SPARE_THREADS),
        maximum_concurrent_rpcs=CALLS_MAX,
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
        example_questions=given.question,
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
    for name in ("", "consilium.v1.SpecialistService"):
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
