"""Faults on request: what goes wrong, with which requests, and how often."""

from __future__ import annotations

import random
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from cirqll_sandbox.behaviour import Behaviour
from cirqll_sandbox.changes import changed

_STATUS = re.compile(r"(?P<status>[1-5]\d\d)(?P<html>-html)?\Z")
_AFTER_COMMIT = re.compile(r"(?P<status>[45]\d\d)-after-commit\Z")

FAULT_KINDS: dict[str, str] = {
    "429": "429 with Retry-After (parameter seconds, default the window's end)",
    "429-without-retry-after": "429 that does not say how long to wait",
    "500": "a JSON error; any status works: 500, 502, 503, 504",
    "502-html": "an HTML error page of a proxy; any status works",
    "cut-before": "the connection is cut before the answer; nothing was done",
    "lost-answer": "the request is carried out, then the connection is cut before the answer",
    "slow-commit": "the connection is cut at once, and the request is carried out only later "
    "(parameter seconds, default 1)",
    "500-after-commit": "the request is carried out, then a JSON error comes; any status works",
    "502-after-commit": "the same with a proxy's HTML page: for 502 and 504",
    "cut-middle": "the connection is cut in the middle of the body",
    "truncated": "half of the JSON, with a Content-Length that fits the half",
    "empty": "the request is carried out, and the body is empty",
    "html-200": "an HTML page with status 200; nothing was done",
    "login-redirect": "302 to a login page, which answers HTML with status 200",
    "slow-start": "the request waits (parameter seconds, default 2) before it is carried out",
    "slow": "the request is carried out, then the answer waits (parameter seconds, default 2)",
    "drip": "the body drips (parameter seconds, default 2, for all of it)",
    "edit-rows": "somebody changes rows of the resource first (parameter rows, default 1)",
    "foreign": "other programs send requests first (parameter requests, default 1)",
    "behaviour": "other options of Behaviour for this request (they are the parameters)",
    "ignore-filter": "the filter is ignored",
    "refuse-filter": "the filter is answered 400",
    "ignore-order": "the order is ignored: rows come by id",
    "refuse-order": "the order is answered 400",
    "ignore-show": "show is ignored: all fields come",
    "refuse-show": "show is answered 400",
    "literal-quotes": "quotes count as part of a value",
    "wrong-limit": "the answer tells a limit that is not in force",
    "missing-limit": "the answer tells no limit",
    "missing-total": "the answer tells no total",
    "lying-total": "total is the number of rows in the page",
    "total-off": "total is off (parameter total_off_by, default 1; -1 is one too few)",
    "no-date": "no Date header",
    "date-off": "the Date header is off (parameter date_offset_seconds, default 3600)",
    "no-rate-headers": "no X-RateLimit headers",
    "other-rate-limit": "the header tells another limit (parameter rate_limit_told, default 120)",
    "no-access-token": "the answer of the token URL lacks the access token",
    "no-refresh-token": "the answer of the token URL lacks the refresh token",
    "no-expires-in": "the answer of the token URL does not tell how long the token lives",
}
"""Every kind with what it does."""

_OVERRIDES: dict[str, dict[str, Any]] = {
    "behaviour": {},
    "ignore-filter": {"filter_mode": "ignore"},
    "refuse-filter": {"filter_mode": "refuse"},
    "ignore-order": {"order_mode": "ignore"},
    "refuse-order": {"order_mode": "refuse"},
    "ignore-show": {"show_mode": "ignore"},
    "refuse-show": {"show_mode": "refuse"},
    "literal-quotes": {"quotes": "literal"},
    "wrong-limit": {"limit_echo": "wrong"},
    "missing-limit": {"limit_echo": "missing"},
    "missing-total": {"total_echo": "missing"},
    "lying-total": {"total_echo": "lying"},
    "total-off": {"total_off_by": 1},
    "no-date": {"date_header": False},
    "date-off": {"date_offset_seconds": 3600},
    "no-rate-headers": {"rate_headers": False},
    "other-rate-limit": {"rate_limit_told": 120},
    "no-access-token": {"token_answer_lacks": ("access_token",)},
    "no-refresh-token": {"token_answer_lacks": ("refresh_token",)},
    "no-expires-in": {"expires_in_told": "missing"},
}
_PARAMETERS = {
    "429": {"seconds"}, "slow": {"seconds"}, "slow-start": {"seconds"}, "drip": {"seconds"},
    "slow-commit": {"seconds"}, "edit-rows": {"rows"}, "foreign": {"requests"},
}  # fmt: skip


class UnknownFaultError(ValueError):
    """There is no fault of this kind, or it has no such parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule. Requests that match it are counted from 1, since the rule was added."""

    id: int
    kind: str
    probability: float = 1.0
    at: tuple[int, ...] = ()
    """Only these of the requests that match; empty means any."""
    since: int = 1
    """Only this one of the requests that match, and those after it."""
    times: int | None = None
    """How often it may happen."""
    path: str = ""
    """A regular expression to be found in the path."""
    method: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int | None:
        """The status of an error answer, for kinds such as `503` and `502-html`."""
        match = _STATUS.match(self.kind)
        return int(match["status"]) if match else None

    @property
    def html(self) -> bool:
        """Whether the error answer is a proxy's page."""
        match = _STATUS.match(self.kind)
        return bool(match and match["html"])

    @property
    def status_after_commit(self) -> int | None:
        """The status that stands in for success, for kinds such as `500-after-commit`."""
        match = _AFTER_COMMIT.match(self.kind)
        return int(match["status"]) if match else None

    def overriding(self, behaviour: Behaviour) -> Behaviour:
        """The behaviour under this fault."""
        if self.kind not in _OVERRIDES:
            return behaviour
        return changed(behaviour, **{**_OVERRIDES[self.kind], **self.parameters})

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class Faults:
    """The rules in force; the dice are seeded."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._rules: dict[int, Fault] = {}
        self._matched: dict[int, int] = {}
        self._happened: dict[int, int] = {}
        self._last_id = 0

    def add(  # noqa: PLR0913 - each is optional
        self,
        kind: str | int,
        *,
        probability: float = 1.0,
        at: int | tuple[int, ...] | list[int] = (),
        since: int = 1,
        times: int | None = None,
        path: str = "",
        method: str | None = None,
        **parameters: Any,
    ) -> Fault:
        """Let something go wrong: `add("503", probability=0.1)`, `add("cut-middle", at=3)`,
        `add("429", times=2, path="/customer")`, `add("403", since=3)`, `add("slow", seconds=1.5)`.
        """  # noqa: D205
        self._last_id += 1
        fault = Fault(
            id=self._last_id, kind=str(kind), probability=probability,
            at=(at,) if isinstance(at, int) else tuple(at),
            since=since, times=times, path=path, method=method, parameters=parameters,
        )  # fmt: skip
        _check(fault)
        self._rules[fault.id] = fault
        return fault

    def remove(self, fault: Fault | int) -> None:
        """End one fault."""
        self._rules.pop(fault if isinstance(fault, int) else fault.id, None)

    def clear(self) -> None:
        """End all faults."""
        self._rules.clear()

    def all(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return tuple(self._rules.values())

    def happened(self, fault: Fault | int) -> int:
        """How often a fault has happened so far."""
        return self._happened.get(fault if isinstance(fault, int) else fault.id, 0)

    def drawn(self, method: str, path: str) -> list[Fault]:
        """The faults that happen to this request; counts it for every rule it matches."""
        return [fault for fault in self.all() if self._happens(fault, method, path)]

    def _happens(self, fault: Fault, method: str, path: str) -> bool:
        if fault.method not in {None, method} or not re.search(fault.path, path):
            return False
        number = self._matched[fault.id] = self._matched.get(fault.id, 0) + 1
        done = self.happened(fault)
        happens = (
            number >= fault.since
            and (not fault.at or number in fault.at)
            and (fault.times is None or done < fault.times)
            and (fault.probability >= 1 or self._random.random() < fault.probability)
        )
        self._happened[fault.id] = done + happens
        return happens


def _check(fault: Fault) -> None:
    if fault.kind not in FAULT_KINDS and not fault.status and not fault.status_after_commit:
        message = f"There is no fault {fault.kind!r}. There are: {', '.join(FAULT_KINDS)}."
        raise UnknownFaultError(message)
    if fault.kind in _OVERRIDES:
        fault.overriding(Behaviour())
        return
    unknown = set(fault.parameters) - _PARAMETERS.get(fault.kind, set())
    if unknown:
        message = f"The fault {fault.kind!r} has no parameter {', '.join(sorted(unknown))}."
        raise UnknownFaultError(message)
