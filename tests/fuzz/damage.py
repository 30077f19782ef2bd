"""What can become of a directory of files between two commands."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random

import tomli_w
from tumor_abm._base.files import SUMS, sha256_of

from fuzz import odd

Damage = Callable[[Random, Path], None]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _one(rng: Random, folder: Path) -> Path:
    return rng.choice(_files(folder))


def flipped_bit(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def cut_off(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def emptied(rng: Random, folder: Path) -> None:
    _one(rng, folder).write_bytes(b"")


def zeros(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.write_bytes(bytes(path.stat().st_size))


def longer(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.write_bytes(path.read_bytes() + rng.randbytes(9))


def scrambled(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.write_bytes(odd.damaged(rng, path.read_bytes()))


def other_line_ends(rng: Random, folder: Path) -> None:
    for path in _files(folder):
        if path.suffix != ".parquet":
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def byte_order_mark(rng: Random, folder: Path) -> None:
    for path in _files(folder):
        if path.suffix != ".parquet":
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def lost_file(rng: Random, folder: Path) -> None:
    _one(rng, folder).unlink()


def lost_sums(rng: Random, folder: Path) -> None:
    for path in folder.rglob(SUMS):
        path.unlink()


def lost_line_of_sums(rng: Random, folder: Path) -> None:
    for path in folder.rglob(SUMS):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        del lines[rng.randrange(len(lines))]
        path.write_text("".join(lines), encoding="utf-8")


def sums_of_elsewhere(rng: Random, folder: Path) -> None:
    for path in folder.rglob(SUMS):
        path.write_text(f"{'0' * 64}  ../../elsewhere\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def lost_directory(rng: Random, folder: Path) -> None:
    folders = sorted(path for path in folder.rglob("*") if path.is_dir())
    shutil.rmtree(rng.choice(folders) if folders else folder)


def exchanged_files(rng: Random, folder: Path) -> None:
    one, other = _one(rng, folder), _one(rng, folder)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def copied_over(rng: Random, folder: Path) -> None:
    one, other = _one(rng, folder), _one(rng, folder)
    other.write_bytes(one.read_bytes())


def exchanged_directories(rng: Random, folder: Path) -> None:
    folders = sorted(
        path for path in folder.rglob("*") if path.is_dir() and _files(path) and path.parent != folder
    )
    if len(folders) < 2:
        return
    one, other = rng.sample(folders, 2)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def directory_for_file(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.unlink()
    path.mkdir()


def file_for_directory(rng: Random, folder: Path) -> None:
    folders = sorted(path for path in folder.rglob("*") if path.is_dir())
    path = rng.choice(folders) if folders else folder
    shutil.rmtree(path)
    path.write_bytes(b"here was a directory")


def link_to_nothing(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.unlink()
    path.symlink_to("nowhere")


def link_to_itself(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.unlink()
    path.symlink_to(path.name)


def pipe(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.unlink()
    os.mkfifo(path)


def renamed(rng: Random, folder: Path) -> None:
    path = _one(rng, folder)
    path.rename(path.with_name(path.name.upper() if path.name.lower() == path.name else path.name.lower()))


def pointer_of_git_lfs(rng: Random, folder: Path) -> None:
    for path in _files(folder):
        if path.suffix == ".parquet":
            digest = sha256_of(path)
            size = path.stat().st_size
            path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n")


def foreign_file(rng: Random, folder: Path) -> None:
    place = rng.choice([folder, *(path for path in folder.rglob("*") if path.is_dir())])
    (place / rng.choice(["thesis.tex", ".DS_Store", "outcomes 2.parquet", "x" * 200])).write_bytes(b"mine")


def left_over_drafts(rng: Random, folder: Path) -> None:
    for path in _files(folder):
        path.with_name(path.name + ".tmp").write_bytes(path.read_bytes()[:20])


def _pipes(folder: str, names: list[str]) -> list[str]:
    """Copies of directories hold no pipes, which would never end."""
    return [name for name in names if (Path(folder) / name).is_fifo()]


def left_over_draft_directories(rng: Random, folder: Path) -> None:
    for path in sorted(path for path in folder.rglob("*") if path.is_dir()):
        shutil.copytree(path, path.with_name(path.name + ".tmp"), ignore=_pipes)


KINDS: dict[str, Damage] = {
    function.__name__: function
    for function in (
        *(flipped_bit, cut_off, emptied, zeros, longer, scrambled, other_line_ends, byte_order_mark),
        *(lost_file, lost_sums, lost_line_of_sums, sums_of_elsewhere, lost_directory),
        *(exchanged_files, copied_over, exchanged_directories, directory_for_file, file_for_directory),
        *(link_to_nothing, link_to_itself, pipe, renamed, pointer_of_git_lfs),
        *(foreign_file, left_over_drafts, left_over_draft_directories),
    )
}
"""Kinds of damage that sums of the files can tell."""


def forge(rng: Random, folder: Path) -> None:
    """Change a text, and its sum with it: what no sum can tell."""
    path = rng.choice([path for path in _files(folder) if path.suffix != ".parquet"] or _files(folder))
    content = path.read_bytes()
    try:
        if path.suffix in (".json", ".jsonl"):
            head, *rest = content.decode().split("\n") if path.suffix == ".jsonl" else [content.decode()]
            path.write_text("\n".join([json.dumps(odd.mutated(rng, json.loads(head)), default=str), *rest]))
        elif path.suffix == ".toml":
            path.write_bytes(tomli_w.dumps(odd.mutated(rng, tomllib.loads(content.decode()))).encode())
        else:
            path.write_bytes(odd.damaged(rng, content))
    except (ValueError, TypeError, OverflowError):  # what came out cannot be written
        path.write_bytes(content + b" ")
    sign(path.parent)


def sign(folder: Path) -> None:
    """Let the sums of a directory be those of its files."""
    if (folder / SUMS).is_file():
        names = [line.split("  ", 1)[-1] for line in (folder / SUMS).read_text(errors="replace").splitlines()]
        sums = {name: sha256_of(folder / name) for name in names if (folder / name) in _files(folder)}
        lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
        (folder / SUMS).write_text(lines, encoding="utf-8")
