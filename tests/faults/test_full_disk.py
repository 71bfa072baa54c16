"""A disk without room: an upload is refused as a whole, and works again once there is room."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.files import Files
from shared.problems import UpstreamUnavailable

PDF = b"%PDF-1.7\n"

if os.geteuid() != 0:
    pytest.skip("a small file system can be mounted by root only", allow_module_level=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def pages(count: int) -> AsyncIterator[bytes]:
    yield PDF
    for _ in range(count):
        yield b"x" * 65_536


async def test_an_upload_that_finds_no_room_leaves_nothing_behind(small):
    files = Files(f"file://{small}")
    await files.put("first", "작은 파일.pdf", pages(1))
    with pytest.raises(UpstreamUnavailable):
        await files.put("second", "큰 파일.pdf", pages(20))
    assert sorted(path.name for path in small.iterdir()) == ["first"]
    await files.delete("first")
    assert (await files.put("third", "다시.pdf", pages(2))).size == len(PDF) + 2 * 65_536
