"""Lines of the access log that cannot be written keep nobody from being answered."""

from types import SimpleNamespace

from gateway.accesslog import MAX_WAITING, AccessLog


def test_a_log_that_cannot_be_written_stops_no_request_and_goes_on_once_it_can():
    full, written = [True], []

    def write(lines: str) -> None:
        if full:
            raise OSError(28, "No space left on device")
        written.append(lines)

    log = AccessLog(write)
    done = SimpleNamespace(
        status=200, trace="a" * 32, request_id="a" * 32, method="GET", claims=None, origin=None
    )
    for _ in range(MAX_WAITING):
        log.add(done, "auth", 0.001)
    full.clear()
    log.add(done, "auth", 0.001)
    log.flush()
    assert "".join(written).count("\n") == 1
