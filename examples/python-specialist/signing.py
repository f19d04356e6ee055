"""What a specialist signs: its card, every answer, and that it holds its key. `proto/consilium/v1` says the same."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

receipt = grpc.protos("consilium/v1/receipt.proto")
wire = grpc.protos("consilium/v1/specialist.proto")


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def commit(salt: bytes, label: str, content: bytes) -> bytes:
    """Says nothing of `content` to whoever has no salt, and cannot be opened to anything else."""
    own = HKDF(hashes.SHA256(), length=32, salt=None, info=label.encode()).derive(salt)
    name, length = label.encode(), len(content).to_bytes(8, "big")
    return sha256(b"consilium/commit/v1\0", bytes([len(name)]), name, own, length, content)


def leaf(passage: Any) -> bytes:
    """A passage as it is committed to, and as it stands in the tree: without its similarity."""
    plain = wire.Passage()
    plain.CopyFrom(passage)
    plain.ClearField("similarity")
    return plain.SerializeToString()


class Tree:
    """The Merkle tree of RFC 9162 over all passages: its root is enough to be shown that a passage is one of them."""

    def __init__(self, passages: list[Any]) -> None:
        self.levels = [[sha256(b"\0", leaf(passage)) for passage in passages]]
        while len(level := self.levels[-1]) > 1:
            pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
            self.levels.append([sha256(b"\1", *pair) if len(pair) == 2 else pair[0] for pair in pairs])
        self.root = self.levels[-1][0]

    def path(self, index: int) -> Any:
        """The hashes beside the way from passage `index` up to the root; who has no neighbour goes up alone."""
        beside = [(level, (index >> height) ^ 1) for height, level in enumerate(self.levels)]
        return wire.MerklePath(index=index, hashes=[level[at] for level, at in beside if at < len(level)])


class Signer:
    """An Ed25519 key in a PEM file: `specialist keygen` makes one, and so does `openssl genpkey -algorithm ed25519`."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            sys.exit(f"{file}: there is no key: make one with `specialist keygen --out {file}`")
        if file.stat().st_mode & 0o077:
            sys.exit(f"{file}: others than its owner can open it: run `chmod 600 {file}`")
        try:
            key = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            sys.exit(f"{file}: is no Ed25519 key: make one with `specialist keygen --out FILE`")
        self.key, self.public = key, key.public_key().public_bytes_raw()

    def signature(self, kind: str, payload: bytes) -> bytes:
        """Over DSSE's encoding, which holds the kind: so that no card passes for a statement."""
        kind = f"application/vnd.consilium.{kind}.v1+protobuf"
        return self.key.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload))

    def sign(self, kind: str, message: Any) -> Any:
        """`message` as the bytes that travel, which nobody encodes again, and the signature over them."""
        payload = message.SerializeToString()
        return wire.Signed(payload=payload, signature=self.signature(kind, payload))

    def statement(self, card: Any, request: Any, passages: list[Any], words: list[Any], outcome: int) -> Any:
        """What was asked and what was said: `card` is the one that was shown, `words` are all that went out."""
        said, end, cited = "".join(piece.text for piece in words), 0, []
        places = [passage.passage_id for passage in passages]
        for piece in words:
            start, end = end, end + len(piece.text.encode())
            if piece.HasField("citation"):
                cited.append(receipt.StatementCitation(
                    answer_start_bytes=start, answer_end_bytes=end, passage=places.index(piece.citation.passage_id),
                    start_bytes=piece.citation.start_bytes, end_bytes=piece.citation.end_bytes,
                ))
        return self.sign("statement", receipt.Statement(
            specialist_id=card.specialist_id, card_sha256=sha256(card.SerializeToString()),
            request_id=request.request_id, request=commit(request.salt, "request", request.SerializeToString()),
            answer=commit(request.salt, "answer", said.encode()), outcome=outcome, citations=cited,
            passages=[commit(request.salt, f"passage/{at}", leaf(passage)) for at, passage in enumerate(passages)],
            weights_sha256=card.weights_sha256, data_sha256=card.data_sha256,
            passages_root=card.passages_root, passage_count=card.passage_count,
            generation=receipt.Generation(engine="python-specialist 1"),
        ))

    def possession(self, card: Any, request: Any) -> Any:
        """That it holds the key in its card, to the router that asks now."""
        return self.sign("possession", receipt.Possession(
            nonce=request.nonce, router=request.router, specialist_id=card.specialist_id, public_key=self.public,
        ))
