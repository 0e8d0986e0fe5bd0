"""Philox 4x32-10 in whole numbers, from its definition: the judge's own random words.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. In each of
ten rounds the words 0 and 2 of the counter are multiplied by a constant each; the lower halves of
the products become the words 3 and 1, the upper ones, with an old word and one of the key mixed in
by exclusive or, the words 2 and 0. Between rounds a constant is added to each word of the key.
"""

from __future__ import annotations

from collections.abc import Iterator

_WORD = 2**32
_ROUNDS = 10
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_ADDED = (0x9E3779B9, 0xBB67AE85)
# a counter has 2**60 numbers of four positions for each letter
_POSITIONS = 2**60

Four = tuple[int, int, int, int]


def philox(counter: Four, key: tuple[int, int]) -> Four:
    """Four random words of 32 bits.

    >>> [f"{one:x}" for one in philox((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    words, keys = counter, key
    for _ in range(_ROUNDS):
        upper, lower = divmod(words[0] * _MULTIPLIERS[0], _WORD)
        upper_2, lower_2 = divmod(words[2] * _MULTIPLIERS[1], _WORD)
        words = (upper_2 ^ words[1] ^ keys[0], lower_2, upper ^ words[3] ^ keys[1], lower)
        keys = ((keys[0] + _ADDED[0]) % _WORD, (keys[1] + _ADDED[1]) % _WORD)
    return words


def random_words(count: int, letter: int, seed: int, step: int) -> Iterator[int]:
    """The words of a letter at the positions from 0 on: position mod 4 of those of position/4."""
    for number in range(-(-count // 4)):
        high, low = divmod(letter * _POSITIONS + number, _WORD)
        step_high, step_low = divmod(step, _WORD)
        seed_high, seed_low = divmod(seed, _WORD)
        found = philox((low, high, step_low, step_high), (seed_low, seed_high))
        yield from found[: min(4, count - 4 * number)]
