"""Files: streamed into one store (a directory or an object store), never wholly in memory."""

import hashlib
import io
import re
import struct
import unicodedata
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from shared.problems import FindingKind, Invalid, UpstreamUnavailable

log = structlog.get_logger()

MAX_FILE_BYTES = 10 * 2**20
CHUNK_BYTES = 64 * 2**10

FILE_TOO_LARGE = FindingKind(
    "FILE_TOO_LARGE",
    ko="10MB 이하만 첨부할 수 있습니다.",
    en="Files of at most 10 MB can be attached.",
    rule="M-010",
)
FILE_EMPTY = FindingKind("FILE_EMPTY", ko="빈 파일입니다.", en="The file is empty.", rule="M-010")
FILE_TYPE = FindingKind(
    "FILE_TYPE",
    ko="첨부할 수 없는 파일 형식입니다(PDF, 이미지, 한글, 오피스 문서만 가능합니다).",
    en="This kind of file cannot be attached (PDF, images, Hangul and Office documents only).",
    rule="M-010",
)

_ARCHIVE = b"PK\x03\x04"
_OPENXML = "application/vnd.openxmlformats-officedocument"

# What an office may attach, told by content and not by name: first bytes -> media type.
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (_ARCHIVE, "application/zip"),  # an office document, or else refused: see `office_type`
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # hwp, xls, doc
)

# Office documents are archives: the parts that every one of its kind has -> media type.
_OFFICE = {
    ("[Content_Types].xml", "xl/workbook.xml"): f"{_OPENXML}.spreadsheetml.sheet",
    ("[Content_Types].xml", "word/document.xml"): f"{_OPENXML}.wordprocessingml.document",
    ("[Content_Types].xml", "ppt/presentation.xml"): f"{_OPENXML}.presentationml.presentation",
    ("mimetype", "Contents/content.hpf"): "application/hwp+zip",
    ("mimetype", "META-INF/manifest.xml", "content.xml"): "application/zip",  # OpenDocument
}
_DIRECTORY_BYTES = 256 * 2**10  # of an archive's end: names of some two thousand parts


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    name: str
    media_type: str
    size: int
    sha256: str


class Upload(Protocol):
    """What a framework gives us of a file that is being sent."""

    async def read(self, size: int = -1, /) -> bytes: ...


async def chunks_of(upload: Upload) -> AsyncIterator[bytes]:
    """An upload piece by piece."""
    while chunk := await upload.read(CHUNK_BYTES):
        yield chunk


class Files:
    """One store. Keys are made by us; what a user called the file is only ever shown."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme == "file":
            Path(parts.path).mkdir(parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(parts.path, mkdir=True)
        else:
            self._store = from_url(url)

    async def put(
        self, key: str, name: str, chunks: AsyncIterator[bytes], *, max_bytes: int = MAX_FILE_BYTES
    ) -> StoredFile:
        """Store a stream, or nothing: raises `Invalid` (FILE_EMPTY, FILE_TOO_LARGE, FILE_TYPE), or
        `UpstreamUnavailable` when the store is full or away.

        The key names the content's place; writing the same key again replaces it.
        """
        name = clean_name(name)
        seen = _Seen(max_bytes, name)
        try:
            await obstore.put_async(self._store, key, seen.pass_on(chunks))
        except Exception as error:
            if seen.refusal is not None:
                raise Invalid(errors=[seen.refusal]) from None
            if isinstance(error, BaseError):
                log.error("file_store_failed", exc_info=error)
                raise UpstreamUnavailable(
                    service="file store", headers={"Retry-After": "30"}
                ) from error
            raise
        return StoredFile(key, name, seen.media_type, seen.size, seen.digest.hexdigest())

    async def get(self, key: str) -> AsyncIterator[bytes]:
        result = await obstore.get_async(self._store, key)
        async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    async def delete(self, key: str) -> None:
        """Delete what may be gone already: whoever died before saying so tries again."""
        with suppress(FileNotFoundError):  # a directory complains, an object store does not
            await obstore.delete_async(self._store, key)


class _Seen:
    """Counts, hashes and judges the bytes on their way into the store."""

    def __init__(self, max_bytes: int, name: str) -> None:
        self.max_bytes = max_bytes
        self.name = name
        self.size = 0
        self.media_type = ""
        self.digest = hashlib.sha256()
        self.refusal: Any = None
        self._end = b""

    async def pass_on(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            if not chunk:
                continue
            if self.size == 0:
                self.media_type = sniff(chunk)
                if not self.media_type:
                    self._refuse(FILE_TYPE)
            self.size += len(chunk)
            if self.size > self.max_bytes:
                self._refuse(FILE_TOO_LARGE)
            self.digest.update(chunk)
            if self.media_type == "application/zip":
                self._end = (self._end + chunk)[-_DIRECTORY_BYTES:]
            yield chunk
        if self.size == 0:
            self._refuse(FILE_EMPTY)
        if self.media_type == "application/zip":
            self.media_type = office_type(self._end)
            if not self.media_type:
                self._refuse(FILE_TYPE)

    def _refuse(self, kind: FindingKind) -> None:
        self.refusal = kind.at("/file", field="file", name=self.name)
        raise ValueError(kind.code)


def sniff(head: bytes) -> str:
    """The media type by the first bytes; empty for what may not be attached."""
    return next((kind for magic, kind in _SIGNATURES if head.startswith(magic)), "")


def office_type(end: bytes) -> str:
    """The media type of an archive by its directory, which is its end; empty for one that is no
    office document. Nothing is unpacked, so there is nothing that could swell."""
    try:
        with zipfile.ZipFile(io.BytesIO(end)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError):
        return ""
    return next((kind for parts, kind in _OFFICE.items() if names.issuperset(parts)), "")


def clean_name(name: str) -> str:
    """A file name fit to show: composed Hangul (NFC), no path, no control characters."""
    composed = unicodedata.normalize("NFC", name)
    base = re.split(r"[/\\]", composed)[-1]
    visible = "".join(char for char in base if unicodedata.category(char)[0] != "C")
    return visible.strip()[:200] or "file"
