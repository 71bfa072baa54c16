"""Answers that are files: what the document says of them, and how they are sent.

@router.get("/statement.pdf", **download(PDF))
async def print_statement(...) -> Response:
    return send(pdf, "정산보고서.pdf", PDF)
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import IO, Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from shared.files import CHUNK_BYTES

CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ANY = "*/*"  # what a user attached once, and is given back as it was

Content = bytes | IO[bytes] | AsyncIterator[bytes]


def download(*media_types: str) -> dict[str, Any]:
    """The part of a route's declaration that says: the answer is a file of one of these types."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {media_type.partition(";")[0]: binary for media_type in media_types}
    return {
        "response_class": Response,
        "responses": {200: {"description": "파일", "content": content}},
    }


def send(
    content: Content,
    name: str,
    media_type: str,
    *,
    size: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The file under a name. An open one is read as it goes out, and closed at its end; `size`
    is told beforehand where it is known."""
    all_headers = {**attachment_headers(name), **(headers or {})}
    if size is not None:
        all_headers["Content-Length"] = str(size)
    if isinstance(content, bytes):
        return Response(content, media_type=media_type, headers=all_headers)
    stream = content if isinstance(content, AsyncIterator) else _read(content)
    return StreamingResponse(stream, media_type=media_type, headers=all_headers)


def attachment_headers(name: str) -> dict[str, str]:
    """Downloads are attachments, never rendered by the browser on our origin."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
