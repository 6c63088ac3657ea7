"""Our index of phrases beside Aho-Corasick automata: articles of 300 lemmas, vocabulary 200 000, Zipf(1.0).

Phrases of one to three words stand in other articles of the same make. Each engine has a process of its own, so its
memory is its own, strings and labels among it. Then what lemmatising costs, on words of the dictionaries.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import time
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from itertools import accumulate, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
VOCABULARY, WORDS, ARTICLES, SAMPLE, TEXTS = 200_000, 300, 1000, 20, 300
LETTERS = "абвгдежзийклмнопрстухцчшюяії"


async def measure(folder: Path) -> list[tuple[str, str, float]]:
    """Articles a second of CPU, seconds to build, memory, time until one more phrase is found; texts lemmatised."""
    _write(folder)
    rows: list[tuple[str, str, float]] = []
    for size in SIZES:
        said = {}
        for engine in ENGINES:
            figures, said[engine] = _alone(_run, engine, folder, size)
            rows += [(f"{size:,} phrases, {engine}: {what}", unit, value) for what, unit, value in figures]
        assert len(set(said.values())) == 1, f"engines disagree at {size} phrases: {said}"
    return rows + _alone(_lemmatise)


def _alone(work: Callable, *args: object):
    """Done in a new process that has seen nothing else."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


# --------------------------------------------------------------------------- what is searched


def _write(folder: Path) -> None:
    dice = random.Random(7)
    seen: dict[str, None] = {}
    while len(seen) < VOCABULARY:
        seen["".join(dice.choices(LETTERS, k=dice.randint(4, 10)))] = None
    words = list(seen)
    chances = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def article() -> list[str]:
        return dice.choices(words, cum_weights=chances, k=WORDS)

    (folder / "articles").write_text("\n".join(" ".join(article()) for _ in range(ARTICLES)), encoding="utf-8")
    phrases: dict[str, None] = {}
    while len(phrases) < max(SIZES):
        text = article()
        for _ in range(30):
            length, at = dice.randint(1, 3), dice.randrange(WORDS - 3)
            phrases[" ".join(text[at : at + length])] = None
    (folder / "phrases").write_text("\n".join(phrases), encoding="utf-8")


def _phrases(folder: Path, size: int) -> Iterator[list[str]]:
    with (folder / "phrases").open(encoding="utf-8") as lines:
        for line in islice(lines, size):
            yield line.split()


# --------------------------------------------------------------------------- engines

#: What an engine gives: the labels found in an article, and how to add one more phrase.
Engine = tuple["Callable[[list[str]], list[str]]", "Callable[[list[str]], None]"]


def _ours(phrases: Iterator[list[str]]) -> Engine:
    from bot.core.phrases import PhraseIndex  # noqa: PLC0415 - each process loads its own engine only

    index = PhraseIndex()

    def add(words: list[str]) -> None:
        index.add([(word,) for word in words], "_".join(words))

    for words in phrases:
        add(words)
    return lambda tokens: [label for _, _, label in index.find(tokens)], add


def _rust(phrases: Iterator[list[str]]) -> Engine:
    """`ahocorasick_rs`; its default kind of automaton did not finish a million (sources-and-tags.md 5)."""
    from ahocorasick_rs import AhoCorasick, Implementation  # noqa: PLC0415

    labels = ["_".join(words) for words in phrases]

    def built() -> AhoCorasick:
        patterns = (f" {label.replace('_', ' ')} " for label in labels)
        return AhoCorasick(patterns, implementation=Implementation.ContiguousNFA)

    automata = [built()]

    def add(words: list[str]) -> None:
        labels.append("_".join(words))
        automata[0] = built()

    def find(text: str) -> list[str]:
        return [labels[number] for number, _, _ in automata[0].find_matches_as_indexes(text, overlapping=True)]

    return find, add


def _c(phrases: Iterator[list[str]]) -> Engine:
    """`pyahocorasick`."""
    from ahocorasick import Automaton  # noqa: PLC0415

    automaton = Automaton()
    for words in phrases:
        automaton.add_word(f" {' '.join(words)} ", "_".join(words))
    automaton.make_automaton()

    def add(words: list[str]) -> None:
        automaton.add_word(f" {' '.join(words)} ", "_".join(words))
        automaton.make_automaton()

    return lambda text: [label for _, label in automaton.iter(text)], add


ENGINES = {"tagwire": _ours, "ahocorasick_rs": _rust, "pyahocorasick": _c}


def _run(name: str, folder: Path, size: int) -> tuple[list[tuple[str, str, float]], str]:
    """Figures of one engine, and a digest of what it found in the sample."""
    lines = (folder / "articles").read_text(encoding="utf-8").splitlines()
    # Each gets its own food, made beforehand: tokens by form, or a text with a space around every word.
    articles = [[(word,) for word in line.split()] if name == "tagwire" else f" {line} " for line in lines]
    gc.collect()
    held, started = _resident(), time.perf_counter()
    find, add = ENGINES[name](_phrases(folder, size))
    build = time.perf_counter() - started
    gc.collect()
    memory = _resident() - held
    found = [sorted(find(article)) for article in articles[:SAMPLE]]
    started = time.process_time()
    hits = sum(len(find(article)) for article in articles)
    cpu = time.process_time() - started
    # A live index takes many; one rebuild of an automaton says enough.
    many = 1000 if name == "tagwire" else 1
    started = time.perf_counter()
    for number in range(many):
        add(["слово", f"нове{number}"])
    adding = (time.perf_counter() - started) / many
    figures = [
        ("articles/s of CPU", "", ARTICLES / cpu),
        ("hits an article", "", hits / ARTICLES),
        ("build", "s", build),
        ("memory", "MB", memory),
        ("one more phrase", "us", adding * 1e6),
    ]
    return figures, sha256(repr(found).encode()).hexdigest()


def _resident() -> float:
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - no folder, a kernel's answer
        return int(statm.read().split()[1]) * 4096 / 1e6


# --------------------------------------------------------------------------- lemmas


def _lemmatise() -> list[tuple[str, str, float]]:
    """Texts of 300 words a second of CPU: each word new to it, with an empty cache, and with a warm one."""
    from bot.feeds.morphology import Morphology  # noqa: PLC0415

    dice = random.Random(7)
    rows: list[tuple[str, str, float]] = []
    for language in ("uk", "ru"):
        held = _resident()
        morphology = Morphology()
        morphology("слово", language)
        loaded = _resident() - held
        words = _dictionary(morphology, language, dice)
        chances = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
        texts = [dice.choices(words, cum_weights=chances, k=WORDS) for _ in range(TEXTS)]
        fresh = Morphology()
        fresh("слово", language)
        name = f"lemmas, {language}"
        rows.append((f"{name}: dictionary", "MB", loaded))
        rows.append((f"{name}: cold cache", "texts/s", TEXTS / _spent(fresh, texts, language)))
        rows.append((f"{name}: warm cache", "texts/s", TEXTS / _spent(fresh, texts, language)))
        rest = sorted(set(words) - {word for text in texts for word in text})[: WORDS * 30]
        rows.append((f"{name}: a word never seen", "us", _spent(fresh, [rest], language) / len(rest) * 1e6))
    return rows


def _dictionary(morphology, language: str, dice: random.Random) -> list[str]:
    """About 100 000 inflected words, from all over the alphabet."""
    known = morphology._analysers[language].iter_known_word_parses
    some = {parse[0] for one in LETTERS for other in LETTERS for parse in islice(known(one + other), 300)}
    words = sorted(some)
    dice.shuffle(words)
    return words


def _spent(morphology, texts: list[list[str]], language: str) -> float:
    started = time.process_time()
    for text in texts:
        for word in text:
            morphology(word, language)
    return time.process_time() - started
