"""Values, names and bytes that nobody means, and sound things into which some of them got."""

from __future__ import annotations

import copy
import datetime
import decimal
import fractions
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl

_PIECES = [
    *("[bold]", "[/foo]", "[[", "{x}", "{", "%s", "%", "$x_1^2$", "$\\frac{1}$", "$", "_", "__init__", "*a*"),
    *("<b>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&amp;", "&", "`", "|"),
    *("\x1b[31m", "\x00", "\x07", "\t", "\n", "\r\n", "\x7f", "\x9b", "\u202e", "\u2066", "\ufffe", "\ufeff"),
    *(
        "/",
        "..",
        "../../x",
        "\\",
        "C:",
        "~",
        "tcp:",
        "s3:",
        "*",
        "[a]",
        "?",
        "-",
        "--out",
        "con",
        "nul",
        ".hidden",
        "a" * 300,
        "é" * 200,
    ),
    *("μ", "µ", "左", "💊", "e\u0301", "\u200b", "\u00a0", "İ", "ß", "ﬁ", "\U0001f468\u200d\U0001f469"),
    *(
        "letrozole",
        "RB1 loss",
        "ESR1",
        "wild type",
        "A + B",
        "true",
        "nan",
        "1e9",
        "0",
        "#",
        '"',
        "'",
        "=",
        ",",
    ),
]


def name(rng: Random) -> str:
    """Return a name that means something somewhere else, is no name at all, or is hard to write."""
    text = rng.choice(["", " "]).join(rng.choices(_PIECES, k=rng.choice([0, 1, 1, 1, 2, 3])))
    if rng.random() < 0.1:
        text += "".join(chr(rng.choice([*range(0xD800), *range(0xE000, 0x110000)])) for _ in range(5))
    return text if rng.random() < 0.95 else text * rng.choice([20, 1_000])


def file_name(rng: Random) -> str:
    """Return an odd name that a file system takes, of what lies in the working directory."""
    taken = name(rng).replace("/", "_").replace("\0", "_").encode("utf-8", "ignore")[:100]
    return taken.decode("utf-8", "ignore").lstrip("-").strip(".") or "out"


def number(rng: Random) -> int | float:
    """Return a number at or beyond some bound."""
    power = 2 ** rng.choice([7, 8, 15, 16, 31, 32, 53, 62, 63, 64, 128])
    edge: list[int | float] = [power, power - 1, power + 1, -power, float(power)]
    tiny: list[int | float] = [
        0,
        1,
        -1,
        2,
        3,
        7,
        0.0,
        -0.0,
        0.5,
        1.0,
        1e-9,
        1e-320,
        -1e-9,
        0.1,
        10,
        100,
        1000,
    ]
    huge: list[int | float] = [10**400, -(10**400), 1e6, 1e9, 1e12, 1e300, 1.7e308, -1e308]
    endless = [float("inf"), float("-inf"), float("nan")]
    return rng.choice(rng.choice([edge, tiny, tiny, huge, endless]))


def written(rng: Random) -> Any:
    """Return something that can stand in TOML."""
    return rng.choice(
        [
            lambda: number(rng),
            lambda: number(rng),
            lambda: name(rng),
            lambda: rng.choice([True, False, [], {}, [[]], [{}], "", " "]),
            lambda: [written(rng) for _ in range(rng.choice([1, 2, 5]))],
            lambda: {name(rng): written(rng)},
            lambda: {rng.choice(["value", "kind", "drug", "median", "among", "every_weeks"]): written(rng)},
            lambda: rng.choice([datetime.date(2020, 1, 1), datetime.time(1), datetime.datetime(2020, 1, 1)]),
        ]
    )()


def anything(rng: Random) -> Any:
    """Return something that can be an argument in Python."""
    return rng.choice(
        [
            lambda: number(rng),
            lambda: number(rng),
            lambda: name(rng),
            lambda: rng.choice([None, True, False, [], {}, (), set(), b"bytes", 1j, object(), len, int, ...]),
            lambda: rng.choice([np.int8, np.uint8, np.int64, np.uint64])(rng.choice([0, 1, 3, 100])),
            lambda: rng.choice([np.float16, np.float32, np.float64])(
                rng.choice([0, 1.5, -1, np.nan, np.inf])
            ),
            lambda: rng.choice(
                [np.bool_(True), np.str_("x"), np.datetime64("2020"), np.complex64(1), np.array(3)]
            ),
            lambda: np.array(rng.choice([[], [1], [1, 2], [[1, 2], [3, 4]], [0.5], ["x"], [None], [True]])),
            lambda: rng.choice([decimal.Decimal("0.1"), fractions.Fraction(1, 3), datetime.date(2020, 1, 1)]),
            lambda: rng.choice(
                [pl.Series([1, 2]), pl.DataFrame({"x": [1]}), pl.DataFrame(), Path("x"), range(3)]
            ),
            lambda: [anything(rng) for _ in range(rng.choice([1, 2, 3]))],
            lambda: [[number(rng) for _ in range(2)] for _ in range(2)],
            lambda: {rng.choice([name, number])(rng): anything(rng)},
        ]
    )()


def places(value: Any, where: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of everything in nested tables and lists."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, below in inner:
        found += [(*where, key), *places(below, (*where, key))]
    return found


def mutated(rng: Random, tables: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of tables in which something was removed, replaced, doubled, renamed or moved."""
    tables = copy.deepcopy(tables)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        found = places(tables)
        if found:
            _mutate(rng, tables, rng.choice(found), found)
    return tables


def _mutate(rng: Random, tables: Any, path: tuple[Any, ...], others: list[tuple[Any, ...]]) -> None:
    parent = tables
    for step in path[:-1]:
        parent = parent[step]
    last, value = path[-1], parent[path[-1]]
    match rng.choice(["remove", "replace", "replace", "scale", "wrap", "double", "rename", "move"]):
        case "remove":
            del parent[last]
        case "scale" if isinstance(value, int | float):
            parent[last] = value * rng.choice([0, -1, 1e-6, 1e-3, 0.5, 2, 1_000, 10**6, 1e12])
        case "wrap":
            parent[last] = rng.choice([[value], {"a": value}, str(value), [value, value]])
        case "double" if isinstance(parent, list):
            parent += [copy.deepcopy(value)] * rng.choice([1, 1, 30])
        case "double" | "rename" if isinstance(parent, dict):
            parent[name(rng)] = copy.deepcopy(value)
        case "move":
            taken = tables
            for step in rng.choice(others):
                taken = taken[step]
            parent[last] = copy.deepcopy(taken)
        case _:
            parent[last] = written(rng)


def damaged(rng: Random, content: bytes) -> bytes:
    """Return content in which some bytes were flipped, lost, put in, doubled or exchanged."""
    raw = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        start = rng.randint(0, len(raw))
        stop = min(len(raw), start + rng.choice([0, 1, 4, 30, len(raw)]))
        match rng.choice(["flip", "cut", "insert", "double", "end", "fill"]):
            case "flip" if start < len(raw):
                raw[start] ^= 1 << rng.randrange(8)
            case "cut":
                del raw[start:stop]
            case "insert":
                raw[start:start] = rng.choice(
                    [rng.randbytes(8), b"\xff\xfe", b"\0", b"[", b"{" * 3_000, b'"""']
                )
            case "double":
                raw[stop:stop] = raw[start:stop]
            case "end":
                del raw[start:]
            case _:
                raw[start:stop] = bytes(stop - start)
    return bytes(raw)
