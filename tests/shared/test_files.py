"""Files are streamed, judged by content, and stored whole or not at all."""

import hashlib
import io
import os
import unicodedata
import zipfile

import pytest

from shared.downloads import XLSX, attachment_headers
from shared.files import MAX_FILE_BYTES, Files, clean_name
from shared.problems import Invalid
from shared.sheets.writing import Page, at_once, write_book

PDF = b"%PDF-1.7\n" + b"x" * 1000


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(f"file://{tmp_path}/store")


async def chunks(*parts: bytes):
    for part in parts:
        yield part


async def content(files: Files, key: str) -> bytes:
    return b"".join([chunk async for chunk in files.get(key)])


async def test_a_file_comes_back_as_it_went_in_with_its_hash_and_type(files):
    stored = await files.put("a/1", "공문.pdf", chunks(PDF[:7], PDF[7:]))
    assert (stored.media_type, stored.size) == ("application/pdf", len(PDF))
    assert stored.sha256 == hashlib.sha256(PDF).hexdigest()
    assert await content(files, "a/1") == PDF


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "FILE_EMPTY"),
        ([b"", b""], "FILE_EMPTY"),
        ([b"MZ\x90\x00 an executable"], "FILE_TYPE"),
        ([b"#!/bin/sh\n"], "FILE_TYPE"),
        ([b"%PDF-", *[b"x" * 2**20] * 10], "FILE_TOO_LARGE"),
    ],
)
async def test_a_refused_file_says_why_and_leaves_nothing(files, parts, code):
    with pytest.raises(Invalid) as refusal:
        await files.put("a/1", "증빙.pdf", chunks(*parts))
    assert [finding.code for finding in refusal.value.errors] == [code]
    with pytest.raises(FileNotFoundError):
        await content(files, "a/1")


OPENXML = "application/vnd.openxmlformats-officedocument"


def archive(*parts: str, padding: int = 0) -> bytes:
    """An archive of parts by these names, the first of which cannot be compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("padding", os.urandom(padding))
        for name in parts:
            made.writestr(name, "<x/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        (("[Content_Types].xml", "xl/workbook.xml"), f"{OPENXML}.spreadsheetml.sheet"),
        (("word/document.xml", "[Content_Types].xml"), f"{OPENXML}.wordprocessingml.document"),
        (("mimetype", "Contents/content.hpf"), "application/hwp+zip"),
        (
            ("mimetype", "META-INF/manifest.xml", "content.xml"),
            "application/zip",
        ),
    ],
)
async def test_an_archive_is_attached_as_the_office_document_it_is(files, parts, kind):
    data = archive(*parts, padding=2**20)
    pieces = (data[at : at + 50_000] for at in range(0, len(data), 50_000))
    stored = await files.put("a/1", "증빙", chunks(*pieces))
    assert (stored.media_type, stored.size) == (kind, len(data))


async def test_workbooks_of_ours_are_office_documents(files):
    with await write_book(Page("표", {"이름": 10}, at_once([("값",)]))) as book:
        stored = await files.put("a/1", "표.xlsx", chunks(book.read()))
    assert stored.media_type == XLSX


@pytest.mark.parametrize(
    "data",
    [
        archive("invoice.exe"),
        archive("[Content_Types].xml"),
        archive("xl/workbook.xml"),
        b"PK\x03\x04 and nothing behind it",
        archive("[Content_Types].xml", "xl/workbook.xml")[:-1],
        archive("[Content_Types].xml", "xl/workbook.xml") + b"x" * 300_000,
        archive("[Content_Types].xml", "xl/workbook.xml", *(f"{n}" * 60 for n in range(9_000))),
    ],
    ids=["a program", "no part", "no types", "no archive", "cut off", "hidden", "huge directory"],
)
async def test_an_archive_that_is_no_document_is_refused_and_leaves_nothing(files, data):
    with pytest.raises(Invalid) as refusal:
        await files.put("a/1", "증빙.xlsx", chunks(data))
    assert [finding.code for finding in refusal.value.errors] == ["FILE_TYPE"]
    with pytest.raises(FileNotFoundError):
        await content(files, "a/1")


async def test_ten_mebibytes_exactly_are_accepted(files):
    stored = await files.put("a/1", "x.pdf", chunks(b"%PDF-", b"x" * (MAX_FILE_BYTES - 5)))
    assert stored.size == MAX_FILE_BYTES


async def test_a_stream_that_breaks_off_leaves_nothing(files):
    async def broken():
        yield PDF
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.put("a/1", "x.pdf", broken())
    with pytest.raises(FileNotFoundError):
        await content(files, "a/1")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (unicodedata.normalize("NFD", "공문.pdf"), "공문.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\사용자\\증빙.hwp", "증빙.hwp"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("\u202egpj.exe", "gpj.exe"),
        ("", "file"),
    ],
)
def test_names_are_composed_and_harmless(given, shown):
    assert clean_name(given) == shown


def test_a_download_is_an_attachment_with_its_korean_name():
    assert attachment_headers("공문.pdf")["Content-Disposition"] == (
        "attachment; filename*=UTF-8''%EA%B3%B5%EB%AC%B8.pdf"
    )


async def test_what_is_gone_can_be_deleted_again(files):
    await files.put("a/1", "증빙.pdf", chunks(PDF))
    await files.delete("a/1")
    await files.delete("a/1")
    with pytest.raises(FileNotFoundError):
        await content(files, "a/1")
