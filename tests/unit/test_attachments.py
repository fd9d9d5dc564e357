"""Attachments by themselves: content, type, name, limits."""

import pytest
from tests.helpers.attached import JPEG, PDF, PNG, TIFF, new_file

from eessi_sim.attachments import (
    MEGABYTE,
    AttachmentLimits,
    Octets,
    ending_of,
    in_words,
    safe_file_name,
    type_of_content,
    type_of_name,
)
from eessi_sim.errors import AttachmentError, AttachmentTooLarge, AttachmentTypeRefused


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (PDF, "application/pdf"),
        (JPEG, "image/jpeg"),
        (PNG, "image/png"),
        (TIFF, "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"PK\x03\x04", None),
        (b"", None),
    ],
)
def test_first_octets_tell_the_type(head: bytes, found: str | None) -> None:
    """Each allowed format is known by its first octets, others are not."""
    assert type_of_content(head) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.PDF", "application/pdf"),
        ("a.jpeg", "image/jpeg"),
        ("a.jpg", "image/jpeg"),
        ("a.tiff", "image/tiff"),
        ("a.docx", None),
        ("png", "image/png"),
    ],
)
def test_ending_tells_the_type(name: str, found: str | None) -> None:
    """The usual endings stand for their types, in small letters and capitals."""
    assert type_of_name(name) == found


def test_type_has_a_usual_ending() -> None:
    """Files of a type are named with its ending, of an unknown one with a neutral one."""
    assert (ending_of("image/tiff"), ending_of("text/plain")) == (".tif", ".bin")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("scan.pdf", "scan.pdf"),
        ("a/b\\c.pdf", "a\uff0fb\uff3cc.pdf"),
        ("../x.pdf", "..\uff0fx.pdf"),
        ("fdp\u202eexe.pdf", "fdp_exe.pdf"),
        (" line\nend.pdf ", "line_end.pdf"),
        ("Łódź & Åse.pdf", "Łódź & Åse.pdf"),
    ],
)
def test_file_name_names_no_folder_and_steers_nothing(text: str, name: str) -> None:
    """Slashes and invisible characters of a file name are replaced, everything else stays."""
    assert safe_file_name(text) == name


@pytest.mark.parametrize("text", ["", " ", "..", "x" * 256])
def test_name_that_is_none_is_refused(text: str) -> None:
    """Nothing, only dots, and what no file system takes is no file name."""
    with pytest.raises(AttachmentError, match="Expected a file name"):
        safe_file_name(text)


def test_content_in_memory_is_read_in_pieces() -> None:
    """A content knows its size and digest and comes in pieces of at most 1 MB."""
    content = Octets.of(b"x" * (MEGABYTE + 1))
    assert (content.size, [len(piece) for piece in content.pieces()]) == (MEGABYTE + 1, [MEGABYTE, 1])
    assert content.read() == b"".join(content.pieces())
    assert content.digest == Octets.of(content.read()).digest


@pytest.mark.parametrize(
    ("size", "words"),
    [(12, "12 bytes"), (2048, "2 kB"), (10 * MEGABYTE, "10 MB"), (MEGABYTE * 3 // 2, "1.5 MB")],
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    """People read sizes in units that fit."""
    assert in_words(size) == words


def test_file_within_the_limits_passes() -> None:
    """An allowed type whose content begins so may be attached."""
    AttachmentLimits().check(new_file())


def test_type_without_known_octets_passes_when_it_is_allowed() -> None:
    """An installation may allow a type that cannot be recognised; it is believed."""
    AttachmentLimits(types=("text/plain",)).check(new_file("a.txt", b"hello", mime_type="text/plain"))


@pytest.mark.parametrize(
    ("limits", "file", "sentence"),
    [
        ({}, new_file(mime_type="text/html"), '"scan.pdf" to be of an allowed type, found text/html'),
        ({}, new_file(data=PNG), "to begin like application/pdf, as declared, found image/png"),
        ({}, new_file(data=b"PK\x03\x04"), "found the octets 50 4b 03 04"),
        ({}, new_file(data=b""), "found nothing"),
        ({"types": ("text/plain",)}, new_file(mime_type="text/plain"), "found application/pdf"),
    ],
)
def test_type_that_is_not_what_it_says_is_refused(
    limits: dict[str, tuple[str, ...]], file: object, sentence: str
) -> None:
    """A type that is not allowed, and a content of another type, are refused with what was found."""
    with pytest.raises(AttachmentTypeRefused, match=sentence):
        AttachmentLimits(**limits).check(file)  # type: ignore[arg-type] # rows of the table


def test_too_large_a_file_is_refused() -> None:
    """The limit is told in words."""
    with pytest.raises(AttachmentTooLarge, match="at most 10 bytes in"):
        AttachmentLimits(file_bytes=10).check(new_file())


def test_too_much_together_is_refused() -> None:
    """The sum over a message has a limit of its own."""
    with pytest.raises(AttachmentTooLarge, match="at most 20 MB in all attachments"):
        AttachmentLimits().check_total(20 * MEGABYTE + 1)
