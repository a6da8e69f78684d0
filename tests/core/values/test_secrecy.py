"""The proof of the redactor: random secrets in forms that it was not told of, through streams that cut them in pieces."""

from __future__ import annotations

import base64
import io
import random
import textwrap
from pathlib import Path

import pytest

from projects.core.console import streams
from projects.core.record.scan import scan
from projects.core.values.encodings import SEED, forms_of, seeds_of, tiles_of
from projects.core.values.redaction import Redactor
from tests.core.secrecy import CONTAINERS, Leaks, Made, forms, random_secret, seeded
from tests.soaking import say, trials

NOISE = ("an ordinary line\n", "{", "user: ", "</td>", '"', "'", "dXNl", "\\", " ", "%20", "=", "\t")


def noise(dice: random.Random) -> bytes:
    return "".join(dice.choices(NOISE, k=dice.randint(0, 3))).encode()


@pytest.mark.soak
def test_no_form_of_a_secret_survives_redaction(redactor: Redactor) -> None:
    tried = 0
    for number in range(trials(300, 10_000)):
        with seeded(number) as dice:
            made = random_secret(dice)
            known = Redactor()
            known.register(made.text)
            leaks = Leaks({"it": made})
            text = b"\n".join(noise(dice) + form.written + noise(dice) for form in forms(made))
            assert leaks.within(known.redact(text.decode()).encode(), "the text") == [], made
            tried += len(leaks)
    say(f"{trials(300, 10_000)} random secrets in {tried} forms: none survives redaction")


@pytest.mark.soak
def test_no_form_survives_a_stream_in_pieces(redactor: Redactor) -> None:
    pieces = 0
    for batch in range(trials(6, 200)):
        with seeded(batch) as dice:
            redactor._values.clear()
            secrets = {f"{number}": random_secret(dice) for number in range(50)}
            for made in secrets.values():
                redactor.register(made.text)
            out, cut = io.StringIO(), []
            console = streams.Streams(out, io.StringIO(), hold=0.001)
            for made in secrets.values():
                text = noise(dice) + dice.choice(forms(made)).written + noise(dice) + b"\n"
                cut += in_pieces(dice, text.decode())
            for piece in cut:
                console.stdout.write(piece)
                if dice.random() < 0.3:
                    console.stdout.flush()
            console.lines.close()
            assert Leaks(secrets).within(out.getvalue().encode(), "the stream") == []
            pieces += len(cut)
    say(f"{trials(6, 200) * 50} random secrets through a stream in {pieces} pieces: none is shown")


def in_pieces(dice: random.Random, text: str) -> list[str]:
    parts = []
    while text:
        size = dice.choice((1, 3, 7, 61, 4096))
        parts.append(text[:size])
        text = text[size:]
    return parts


@pytest.mark.soak
def test_a_planted_leak_is_caught_in_every_form(redactor: Redactor, tmp_path: Path) -> None:
    planted = 0
    for number in range(trials(20, 700)):
        with seeded(number) as dice:
            redactor._values.clear()
            made = random_secret(dice)
            redactor.register(made.text)
            root = tmp_path / f"run-{number}"
            wanted: set[str] = set()
            shown = [form.written for form in forms(made)]
            for container, pack in CONTAINERS.items():
                for data in dice.sample(shown, k=3):
                    path = root / dice.choice(("a", "a/b", "c")) / f"{len(wanted)}-{container}"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(pack(dice.randbytes(dice.choice((0, 1, 700, 5000))) + b"\n" + data + b"\n"))
                    wanted.add(str(path.relative_to(root)))
            found = scan(root, seconds=60)
            assert {leak.file for leak in found.leaks} == wanted, made
            assert not found.unread
            assert not [path for path in root.rglob("*") if path.is_file()]
            planted += len(wanted)
    say(f"{planted} files planted, in {len(CONTAINERS)} containers: each was found and moved")


def test_each_form_holds_a_seed() -> None:
    for number in range(trials(100, 2_000)):
        with seeded(number) as dice:
            made = random_secret(dice)
            seeds = seeds_of(made.text)
            missed = [form for form in forms_of(made.text) if not any(seed in form for seed in seeds)]
            assert not missed
            assert all(tile[:SEED] in seeds for tile in tiles_of(made.text))


@pytest.mark.parametrize("width", [64, 76])
def test_base64_that_was_wrapped(width: int) -> None:
    for number in range(trials(50, 500)):
        with seeded(number) as dice:
            made = Made(base64.b85encode(dice.randbytes(300)).decode())
            known = Redactor()
            known.register(made.text)
            before = dice.randbytes(dice.randint(0, 60))
            lines = textwrap.wrap(base64.b64encode(before + made.text.encode()).decode(), width)
            shown = known.redact("\n".join(lines)).splitlines()
            assert [line for line in shown[2:-1] if line != "********"] == []
