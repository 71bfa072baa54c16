"""What the gateway itself may answer, beside the problems every process shares."""

from shared.problems import Problem


class BadRequestHead(Problem):
    """The request breaks HTTP's own rules, or could be read in two ways; give `reason=`."""

    status, code = 400, "BAD_REQUEST"
    ko = "요청 형식이 올바르지 않습니다: {reason}"
    en = "The request is malformed: {reason}"


class BadPath(Problem):
    status, code = 400, "BAD_PATH"
    ko = "주소에 허용되지 않는 문자가 있습니다."
    en = "The path holds something that is not allowed: //, dot segments or encoded separators."


class RequestTimeout(Problem):
    status, code = 408, "REQUEST_TIMEOUT"
    ko, en = "요청이 제시간에 도착하지 않았습니다.", "The request did not arrive in time."


class TargetTooLong(Problem):
    status, code = 414, "TARGET_TOO_LONG"
    ko, en = "주소가 너무 깁니다.", "The request target is too long."


class HeadersTooLarge(Problem):
    status, code = 431, "HEADERS_TOO_LARGE"
    ko, en = "요청 헤더가 너무 많거나 깁니다.", "The request headers are too many or too large."


class BrokenUpstream(Problem):
    """A service closed the connection or sent what is no HTTP; give `service=`."""

    status, code = 502, "BROKEN_UPSTREAM"
    ko = "{service} 서비스의 응답이 올바르지 않습니다. 잠시 후 다시 시도하세요."
    en = "The {service} service did not answer properly. Please try again later."


class UpstreamBusy(Problem):
    """As many requests as a service may have are under way; give `service=`."""

    status, code = 503, "UPSTREAM_BUSY"
    ko = "{service} 서비스에 요청이 몰려 있습니다. 잠시 후 다시 시도하세요."
    en = "The {service} service has too much to do. Please try again shortly."


class TooManyConnections(Problem):
    status, code = 503, "TOO_MANY_CONNECTIONS"
    ko = "접속이 몰려 있습니다. 잠시 후 다시 시도하세요."
    en = "Too many connections. Please try again shortly."


class UpstreamTimeout(Problem):
    status, code = 504, "UPSTREAM_TIMEOUT"
    ko = "{service} 서비스의 응답이 늦어 중단했습니다. 잠시 후 다시 시도하세요."
    en = "The {service} service took too long to answer. Please try again later."


class VersionTooOld(Problem):
    status, code = 505, "HTTP_VERSION_TOO_OLD"
    ko = "이 응답은 HTTP/1.1 이상으로만 받을 수 있습니다."
    en = "This answer has no length beforehand, which takes HTTP/1.1 or later."
