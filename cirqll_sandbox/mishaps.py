"""What faults make of a request: an answer in its place, or damage on the answer's way."""

from __future__ import annotations

from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING

from cirqll_sandbox.answers import Answer, json_answer
from cirqll_sandbox.wire import Damage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.faults import Fault
    from cirqll_sandbox.rate_limit import Verdict

HTML = "text/html; charset=utf-8"
LOGIN = "/login"
_FIRST_ERROR, _FIRST_OF_SERVER = 400, 500
_OF_A_PROXY = frozenset({502, 504})
_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


def too_many(verdict: Verdict | None, behaviour: Behaviour) -> Answer | None:
    """The refusal of a request that the budget does not allow."""
    if verdict is None or verdict.allowed:
        return None
    wait = str(verdict.seconds_until_reset) if behaviour.retry_after else None
    return _refused_for_now(wait)


def instead(faults: Sequence[Fault], verdict: Verdict | None) -> Answer | None:
    """The answer of the first fault that keeps a request from being carried out."""
    for fault in faults:
        answer = _stand_in(fault, verdict)
        if answer is not None:
            return answer
    return None


def afterwards(answer: Answer, faults: Sequence[Fault]) -> Answer:
    """What is told of a request that was carried out; a refused one is refused as it would be."""
    for fault in faults:
        status = fault.status_after_commit
        if status is not None and answer.status < _FIRST_ERROR:
            return _error(status, html=status in _OF_A_PROXY)
    return answer


def too_long(length: int, behaviour: Behaviour) -> Answer | None:
    """The refusal of a URL that a proxy does not let through."""
    if behaviour.url_maximum is None or length <= behaviour.url_maximum:
        return None
    status = behaviour.url_refusal_status
    return page(status, f"{status} {HTTPStatus(status).phrase}")


def damage(faults: Sequence[Fault], behaviour: Behaviour) -> Damage:
    """What happens to the answer on its way."""
    kinds = {fault.kind for fault in faults}
    return Damage(
        seconds_before=behaviour.latency_seconds + seconds(faults, "slow"),
        dripping_seconds=seconds(faults, "drip"),
        cut_before=bool(kinds & {"cut-before", "lost-answer", "slow-commit"}),
        cut_in_body="cut-middle" in kinds,
        truncated="truncated" in kinds,
        empty="empty" in kinds,
    )


def seconds(faults: Sequence[Fault], kind: str, *, default: float = 2) -> float:
    """How long the faults of a kind take."""
    return sum(float(f.parameters.get("seconds", default)) for f in faults if f.kind == kind)


def page(status: int, title: str) -> Answer:
    """The plainest HTML page."""
    return Answer(status, _PAGE.format(title), {}, HTML)


def _stand_in(fault: Fault, verdict: Verdict | None) -> Answer | None:
    match fault.kind:
        case "429":
            until_reset = verdict.seconds_until_reset if verdict else 1
            return _refused_for_now(str(fault.parameters.get("seconds", until_reset)))
        case "429-without-retry-after":
            return _refused_for_now(None)
        case "html-200":
            return page(200, "Onderhoud")
        case "login-redirect":
            return Answer(302, "", {"Location": LOGIN}, HTML)
        case "cut-before":
            return Answer(500)
    return _error(fault.status, html=fault.html) if fault.status else None


def _refused_for_now(wait: str | None) -> Answer:
    headers = {"Retry-After": wait} if wait is not None else {}
    return json_answer(429, {"message": "Too Many Requests"}, **headers)


def _error(status: int, *, html: bool) -> Answer:
    if html:
        return page(status, f"{status} Error")
    told = responses.get(status, "Error") if status < _FIRST_OF_SERVER else "Server Error"
    return json_answer(status, {"message": told})
