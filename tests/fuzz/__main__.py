"""``make fuzz``: damages the corpus for a number of seconds, and keeps what makes an entrance stumble.

Hypothesis chooses and shrinks; a crash is written to the corpus, where ``test_corpus`` finds it from then on.
"""

import hashlib
import os
import sys
import time

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from tests.fuzz.entrances import CORPUS, ENTRANCES, corpus, enter

EXAMPLES = 500
"""In one round; the time is looked at between two rounds."""
MOST_ROUNDS = 100_000
WORDS = [
    b"\0", b"\r\n", b"\r\n\r\n", b"--", b"<", b">", b"&", b"]]>", b"<!--", b"<?x?>", b"<![CDATA[", b'"', b"\xff\xfe", b"\xc0\x80",
    b"9" * 30, b"-1", b"%00", b"cid:", b"Content-ID: <a@b>\r\n", b"Content-Transfer-Encoding: base64\r\n", b"charset=utf-16",
    b"<a>" * 300, b"\x1f\x8b\x08\x1f\0\0\0\0\0\xff", b"&#0;", b'xmlns:a="b" ', b"<eb:Error/>", b"<eb:UserMessage/>",
]  # fmt: skip
edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from([0, 0, 1, 2, 8, 60, 500]),
        st.one_of(st.sampled_from(WORDS), st.binary(max_size=8), st.just(None)),
    ),
    min_size=1,
    max_size=4,
)


def damaged(data: bytes, changes: list[tuple[float, int, bytes | None]]) -> bytes:
    """Replace pieces; None doubles the piece."""
    for place, length, piece in changes:
        at = int(place * len(data))
        old = data[at : at + length]
        data = data[:at] + (2 * old if piece is None else piece) + data[at + length :]
    return data


def search(name: str, number: int) -> bytes | None:
    """Play one round; return octets that made the entrance stumble, shrunk."""
    tried: list[bytes] = []
    seeds = [path.read_bytes() for path in corpus(name)]

    @seed(number)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds), edits)
    def entered(start: bytes, changes: list[tuple[float, int, bytes | None]]) -> None:
        tried[:] = [damaged(start, changes)]
        enter(name, tried[0])

    try:
        entered()
    except Exception as error:  # whatever it is: that is what is looked for
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        return tried[0]
    return None


def main() -> int:
    """Return 1 when something stumbled."""
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "300"))
    begin = time.time_ns() % 1_000_000
    found = 0
    for number in range(MOST_ROUNDS):
        if time.monotonic() >= end or found:
            break
        for name in ENTRANCES:
            crash = search(name, begin + number)
            if crash is not None:
                found += 1
                path = CORPUS / name / f"crash-{hashlib.sha256(crash).hexdigest()[:12]}"
                path.write_bytes(crash)
                print(f"written: {path}", file=sys.stderr)
    print(f"{number} rounds of {len(ENTRANCES) * EXAMPLES} inputs, {found} crashes; first seed {begin}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
