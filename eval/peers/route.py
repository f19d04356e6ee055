"""Routes questions with other people's software, so that it stands beside ours in one table.

Reads one JSON object: {"model": folder, "routes": {domain: [utterances]}, "passages": {domain: [[title,
text]]}, "outside_share": share, "rounds": [{"fit": [[question, domain or null]], "asked": [questions]}]}.
In each round a peer chooses its own settings on `fit`, which is not empty, where null stands for nobody and
weighs as much as `outside_share` says, and then routes what is asked. Answers one JSON object: {"peers":
[...], "left_out": [[name, why]]}; see `measured`. Packages: requirements.txt.
"""

import importlib.metadata
import json
import logging
import math
import os
import statistics
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
# Warnings of the packages must not stand in the answer.
answers, sys.stdout = sys.stdout, sys.stderr

# How many questions are timed, one after another.
TIMED_MAX = 100


class SemanticRouter:
    """IndexedRouter with the encoder for local weights. Its `fit` makes a score the probability that the
    best route is right, and knows no settings; so the aggregation, how many utterances it is over and the
    threshold are those with the best `evaluate` on what is fitted on, as its documents advise."""

    name, package = "semantic-router", "semantic-router"
    TOP_MAX = 50
    SETTINGS = [("max", 5)] + [(name, top) for top in (5, 10, 20, 50) for name in ("mean", "sum")]

    def __init__(self, setup):
        from semantic_router import IndexedRouter, Route
        from semantic_router.calibration import Calibrator
        from semantic_router.encoders import LocalEncoder
        from semantic_router.index import LocalIndex

        class Encoder(LocalEncoder):
            """Encodes each text once, and many at a time; all else is LocalEncoder's."""

            _known: dict = {}

            def __call__(self, docs):
                new = [text for text in dict.fromkeys(docs) if text not in self._known]
                self._known.update(zip(new, super().__call__(new) if new else []))
                return [self._known[text] for text in docs]

            def forget(self):
                self._known.clear()

        class Index(LocalIndex):
            """Searches once for each question; fewer are the last of more, since they come worst first."""

            _known: dict = {}

            def query(self, vector, top_k=5, **options):
                key = vector.tobytes()
                if key not in self._known:
                    self._known[key] = super().query(vector, SemanticRouter.TOP_MAX, **options)
                scores, names = self._known[key]
                return scores[-top_k:], names[-top_k:]

            def forget(self):
                self._known.clear()

        self.Calibrator = Calibrator
        self.encoder = Encoder(name=setup["model"], device="cpu")
        self.index = Index()
        routes = [Route(name=name, utterances=texts) for name, texts in setup["routes"].items()]
        IndexedRouter(encoder=self.encoder, routes=routes, index=self.index)
        # Routers over the same index, which holds the routes.
        self.routers = {
            (aggregation, top): IndexedRouter(
                encoder=self.encoder, index=self.index, aggregation=aggregation, top_k=top
            )
            for aggregation, top in self.SETTINGS
        }

    def prepare(self, texts):
        self.encoder(texts)

    def best(self, setting, text):
        choice = self.routers[setting](text, limit=None)[0]
        return choice.name, choice.confidence

    def probability(self, scores, right, weights):
        """What `fit` does; the weights are whole repetitions, since it has none."""
        import numpy

        times = [max(1, round(10 * weight)) for weight in weights]
        times = [one // math.gcd(*times) for one in times]
        scores, right = numpy.repeat(scores, times), numpy.repeat(right, times)
        try:
            platt = self.Calibrator.fit(scores, right)
        except ValueError:
            # Nothing to learn from: all are right, or none.
            return None
        # It gives up on some sums, and then says the same of every score; it offers another method.
        return platt if platt.params["a"][0] > 0 else self.Calibrator.fit(scores, right, "isotonic")

    def forget(self):
        self.encoder.forget()
        self.index.forget()

    def described(self, setting):
        return f"aggregation {setting[0]}, top_k {setting[1]}"


class BM25:
    """The domain that the ten best passages vote for, each with its score; as sure as the best of them."""

    name, package = "BM25 vote", "bm25s"
    SETTINGS = [10]

    def __init__(self, setup):
        import bm25s
        import Stemmer

        stemmer = Stemmer.Stemmer("english")
        self.split = lambda texts: bm25s.tokenize(
            texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )
        passages = [(domain, *one) for domain, passages in setup["passages"].items() for one in passages]
        self.domains = [domain for domain, _, _ in passages]
        self.index = bm25s.BM25()
        # A word of the title counts twice.
        texts = [f"{title} {title} {text}" for _, title, text in passages]
        self.index.index(self.split(texts), show_progress=False)

    def prepare(self, texts):
        pass

    def best(self, setting, text):
        words = self.split([text])
        if not words[0]:
            return None, 0.0
        count = min(setting, len(self.domains))
        places, scores = self.index.retrieve(words, k=count, show_progress=False)
        votes = {}
        for place, score in zip(places[0], scores[0]):
            votes[self.domains[place]] = votes.get(self.domains[place], 0.0) + float(score)
        domain = max(votes, key=votes.get)
        return (domain, float(scores[0].max())) if votes[domain] > 0 else (None, 0.0)

    def probability(self, scores, right, weights):
        return None

    def forget(self):
        pass

    def described(self, setting):
        return f"top {setting}, titles twice, k1 1.5, b 0.75, stemmed"


def weighed(fit, share):
    """What each of `fit` counts, so that nobody's make up `share` of all."""
    inside = sum(domain is not None for _, domain in fit)
    outside = len(fit) - inside
    if share is None or not inside or not outside:
        return [1.0] * len(fit)
    weight = share / (1 - share) * inside / outside
    return [1.0 if domain is not None else weight for _, domain in fit]


def threshold(scores, truths, found, weights):
    """The share that is right and accepted, or nobody's and refused, where it is largest; and from which
    score on is then accepted."""
    order = sorted(range(len(scores)), key=lambda at: -scores[at])
    total = sum(weight for weight, truth in zip(weights, truths) if truth is None)
    most, least = total, math.inf
    for at, following in zip(order, order[1:] + [None]):
        if truths[at] is None:
            total -= weights[at]
        elif truths[at] == found[at]:
            total += weights[at]
        below = -math.inf if following is None else scores[following]
        if total > most and below < scores[at]:
            most, least = total, -math.inf if following is None else (scores[at] + below) / 2
    return most / sum(weights), least


def fitted(peer, best, fit, weights):
    """The peer's setting with the best threshold: its setting, probability and threshold."""
    truths = [domain for _, domain in fit]
    chosen = None
    for setting in peer.SETTINGS:
        found, scores = zip(*(best[setting, text] for text, _ in fit))
        right = [float(name is not None and name == truth) for name, truth in zip(found, truths)]
        probability = peer.probability(scores, right, weights)
        if probability is not None:
            scores = [float(score) for score in probability(list(scores))]
        total, least = threshold(scores, truths, found, weights)
        if chosen is None or total > chosen[0]:
            chosen = total, setting, probability, least
    return chosen[1:]


def accepting(least):
    return {math.inf: "never", -math.inf: "always"}.get(least, f"from {least:.3g} on")


def rounds(peer, setup):
    texts = [text for part in setup["rounds"] for text in part["asked"] + [text for text, _ in part["fit"]]]
    texts = list(dict.fromkeys(texts))
    peer.prepare(texts)
    best = {(setting, text): peer.best(setting, text) for setting in peer.SETTINGS for text in texts}
    for part in setup["rounds"]:
        weights = weighed(part["fit"], setup.get("outside_share"))
        setting, probability, least = fitted(peer, best, part["fit"], weights)
        asked = []
        for text in part["asked"]:
            domain, score = best[setting, text]
            score = score if probability is None else float(probability(score))
            accepted = domain is not None and score >= least
            asked.append({"domain": domain, "score": score, "accepted": accepted})
        settings = f"{peer.described(setting)}, accepted {accepting(least)}"
        yield {"settings": settings, "answers": asked}, setting, probability is not None


def measured(kind, setup):
    began = time.perf_counter()
    peer = kind(setup)
    built = time.perf_counter()
    answered = list(rounds(peer, setup))
    done = time.perf_counter()
    # As in service: nothing is known of a question before it is asked.
    peer.forget()
    times = []
    for text in list(dict.fromkeys(text for part in setup["rounds"] for text in part["asked"]))[:TIMED_MAX]:
        start = time.perf_counter()
        peer.best(answered[0][1], text)
        times.append(1000 * (time.perf_counter() - start))
    return {
        "name": peer.name,
        "version": importlib.metadata.version(peer.package),
        # Reading and encoding what it routes by; all questions, with its settings chosen; one question.
        "build_s": built - began,
        "rounds_s": done - built,
        "route_ms": statistics.median(times) if times else None,
        # Whether scores are probabilities.
        "calibrated": all(calibrated for _, _, calibrated in answered),
        "rounds": [part for part, _, _ in answered],
    }


def main():
    logging.disable(logging.WARNING)
    setup = json.load(sys.stdin)
    peers, left_out = [], []
    for kind in [SemanticRouter, BM25]:
        try:
            peers.append(measured(kind, setup))
        except ImportError as error:
            left_out.append([kind.name, str(error)])
    json.dump({"peers": peers, "left_out": left_out}, answers)


main()
