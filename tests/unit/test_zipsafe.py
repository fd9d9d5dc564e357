"""Zip archives: what is read, what is refused before it can do harm, and that writing is repeatable."""

import random
import struct
import zlib
from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_STORED, ZipFile, ZipInfo

import pytest

from eessi_sim import zipsafe
from eessi_sim.errors import ZipError, ZipForbidden, ZipTooLarge
from eessi_sim.zipsafe import Zip, ZipLimits, is_plain, is_zip

FEW = ZipLimits(entries=2, entry_bytes=2_000_000, total_bytes=3_000_000, ratio=100)


def zeros(size: int) -> bytes:
    return zipsafe.write({"zeros": bytes(size)})


def with_name(name: str) -> bytes:
    """An archive with a name as it would never be written by us."""
    archive = BytesIO()
    with ZipFile(archive, "w") as target:
        info = ZipInfo("x")
        info.filename = name
        target.writestr(info, b"content")
    return archive.getvalue()


def directory_field(data: bytes, offset: int, value: int) -> bytes:
    """The archive with two octets of the first line of its directory replaced."""
    place = data.index(b"PK\x01\x02") + offset
    return data[:place] + struct.pack("<H", value) + data[place + 2 :]


def test_what_is_written_is_read() -> None:
    """Names come in the order in which they were given, with their content."""
    archive = Zip(zipsafe.write({"b.xml": b"<b/>", "folder/a.xml": b"<a/>"}))
    assert archive.names == ("b.xml", "folder/a.xml")
    assert [archive.read(0), archive.read(1)] == [b"<b/>", b"<a/>"]


def test_writing_is_repeatable() -> None:
    """The same files give the same bytes, whenever and wherever they are written."""
    data = zipsafe.write({"a": b"same"})
    assert data == zipsafe.write({"a": b"same"})
    with ZipFile(BytesIO(data)) as archive:
        (info,) = archive.infolist()
    assert (info.date_time, info.create_system, info.external_attr) == (
        (1980, 1, 1, 0, 0, 0),
        3,
        0o100644 << 16,
    )


def test_folders_are_no_entries() -> None:
    """A line for a folder is left out."""
    assert Zip(with_name("folder/")).names == ()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (zipsafe.write({}), True),
        (zipsafe.write({"a": b""}), True),
        (b"<A003/>", False),
        (b"", False),
    ],
)
def test_archives_are_known_by_their_first_octets(data: bytes, expected: bool) -> None:
    """An empty archive is an archive too."""
    assert is_zip(data) is expected


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"", zeros(10)[:-3], b"hello"])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    """A cut archive and something else are told as broken."""
    with pytest.raises(ZipError, match="found one that cannot be read") as caught:
        Zip(data)
    assert caught.value.code == "zip"


def test_too_many_entries_are_refused() -> None:
    """Entries are counted before the directory is read."""
    with pytest.raises(ZipTooLarge, match="at most 2 entries"):
        Zip(zipsafe.write(dict.fromkeys("abc", b"")), FEW)


def test_too_large_in_all_is_refused() -> None:
    """The sizes that an archive states are added up."""
    with pytest.raises(ZipTooLarge, match="at most 3000000 bytes in the archive, found 4000000"):
        Zip(zipsafe.write({"a": bytes(2_000_000), "b": bytes(2_000_000)}), FEW)


def test_a_large_entry_is_refused() -> None:
    """One entry has its own limit."""
    archive = Zip(zeros(2_000_001), FEW)
    with pytest.raises(ZipTooLarge, match="at most 2000000 bytes, found 2000001"):
        archive.read(0)


def test_an_entry_that_grows_too_much_is_refused() -> None:
    """What compresses a thousandfold is no document."""
    archive = Zip(zeros(2_000_000), FEW)
    with pytest.raises(ZipTooLarge, match="one 100th"):
        archive.read(0)


def test_a_small_entry_may_grow_as_it_likes() -> None:
    """Below 1 MB the ratio says nothing."""
    assert len(Zip(zeros(1_000_000), FEW).read(0)) == 1_000_000


def test_a_bomb_that_lies_about_its_size_stops_there() -> None:
    """No more is decompressed than the directory states, and the difference is told."""
    data = zeros(20_000_000)
    place = data.index(b"PK\x01\x02") + 24
    lying = data[:place] + struct.pack("<I", 1000) + data[place + 4 :]
    archive = Zip(lying)
    with pytest.raises(ZipError, match="found it broken"):
        archive.read(0)


def test_a_password_is_refused() -> None:
    """An encrypted entry is named as that."""
    archive = Zip(directory_field(zipsafe.write({"a": b"x"}), 8, 1))
    with pytest.raises(ZipForbidden, match="found it encrypted"):
        archive.read(0)


def test_a_rare_method_is_refused() -> None:
    """What not every program reads we do not read either."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_BZIP2) as target:
        target.writestr("a", b"x")
    with pytest.raises(ZipForbidden, match="found method 12"):
        Zip(archive.getvalue()).read(0)


def test_a_changed_entry_is_broken() -> None:
    """The sum of an entry is compared."""
    archive = BytesIO()
    with ZipFile(archive, "w", ZIP_STORED) as target:
        target.writestr("a", b"content")
    data = archive.getvalue().replace(b"content", b"contend")
    with pytest.raises(ZipError, match="found it broken: Bad CRC-32"):
        Zip(data).read(0)


def test_a_damaged_stream_is_broken() -> None:
    """Octets that do not inflate are told, not raised."""
    data = bytearray(zipsafe.write({"a": b"content that is long enough to be compressed " * 9}))
    data[31:35] = b"\xff\xff\xff\xff"
    with pytest.raises(ZipError, match="found it broken"):
        Zip(bytes(data)).read(0)


@pytest.mark.parametrize(
    "name", ["", "../a", "/a", "a//b", "a/./b", "C:a", "a\\b", "a\nb", "\x1b[31m", "a/../../b"]
)
def test_names_with_detours_are_refused(name: str) -> None:
    """A name is a plain relative path, or its entry is not read."""
    archive = Zip(with_name(name))
    with pytest.raises(ZipForbidden, match="Expected a plain path"):
        archive.read(0)


def test_plain_names() -> None:
    """Letters of any script and blanks are plain."""
    assert is_plain("Ordner/Größe ß.xml")


def test_any_cut_is_refused_or_read() -> None:
    """However an archive is cut, the error is ours."""
    data = zipsafe.write({"a": b"content", "b": zlib.compress(b"x")})
    for size in range(len(data)):
        with pytest.raises(ZipError):
            Zip(data[:size])


def test_any_damage_is_refused_or_read() -> None:
    """Whatever octets are changed, cut out or put in, the error is ours."""
    chance = random.Random(3)
    whole = zipsafe.write({"a.xml": b"<a/>" * 50, "b/c.xml": b"<c>hello</c>" * 20, "d": b"x"})
    for _ in range(5_000):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 2, 5])):
            place = chance.randrange(len(data))
            data[place : place + chance.choice([0, 1, 1, 4])] = chance.randbytes(chance.choice([0, 1, 1, 4]))
        read_all(bytes(data))


def read_all(data: bytes) -> None:
    """Read whatever can be read of an archive."""
    try:
        archive = Zip(data)
    except ZipError:
        return
    for position in range(len(archive.names)):
        with suppress(ZipError):
            archive.read(position)
