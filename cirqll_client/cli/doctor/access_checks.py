"""Checks of the way to the data: server, token, user, scopes, streams, rate limit."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from cirqll_client.cli.doctor.answers import Failed
from cirqll_client.cli.doctor.checks import Check, counted, listed
from cirqll_client.identity import identity_of
from cirqll_client.scopes import is_readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cirqll_client.cli.doctor.evidence import Evidence, StreamEvidence
    from cirqll_client.resources import Resource

DOCUMENTED_RATE_LIMIT = 60
_SLOW_SECONDS = 2.0


def reach(evidence: Evidence) -> Check:
    """Tell whether the server answers, and how fast."""
    key, name = "reach", "Server"
    if evidence.dead == "network":
        is_silent = evidence.requests and not evidence.seconds
        words = "cannot be reached" if is_silent else "cannot be asked"
        return Check(key, name, "stops", words, evidence.ended)
    if not evidence.seconds:
        return Check(key, name, "unknown", "nothing was asked")
    seconds = median(evidence.seconds)
    words = f"answers in {seconds:.2g} s, by the median of {len(evidence.seconds)} answers"
    if seconds <= _SLOW_SECONDS:
        return Check(key, name, "good", words)
    slow = (
        "The server is slow. If runs end with no whole answer, raise the setting request_timeout."
    )
    return Check(key, name, "warning", words, slow)


def token(evidence: Evidence) -> Check:
    """Tell whether the token is accepted."""
    key, name = "token", "Token"
    if evidence.dead == "token":
        words = "is not accepted" if evidence.requests else "there is none that can be used"
        return Check(key, name, "stops", words, evidence.ended)
    if not evidence.heard:
        return Check(key, name, "unknown", "nothing was answered")
    return Check(key, name, "good", "is accepted")


def user(evidence: Evidence) -> Check:
    """Tell whose data the token reads."""
    key, name, me = "user", "Signed in as", evidence.me
    if me == Failed("not_asked"):
        return Check(key, name, "unknown", "not asked")
    if isinstance(me, Failed):
        return Check(key, name, "unknown", f"not known: the question {me.words}")
    who = identity_of(me)
    if who.company_id is None:
        return Check(key, name, "warning", "a user whose company is not told", _COMPANY, str(who))
    return Check(key, name, "good", "a user with a company", private_words=str(who))


_COMPANY = (
    "Cirqll does not tell the company of the user, so a run cannot notice that the account was "
    "signed in to another company: give each company an account of its own."
)


def scopes(evidence: Evidence) -> Check:
    """Compare the scopes that are known with what may be read."""
    key, name = "scopes", "Scopes"
    if evidence.scopes is None:
        words = "are not told by the token; found out by asking"
        return Check(key, name, "good" if evidence.heard else "unknown", words)
    known = counted(len(evidence.scopes), "scope")
    if not any(map(_tells_of_scopes, evidence.streams)):
        return Check(key, name, "unknown", f"{known}, as the token says; nothing was answered")
    wrong = [one.resource.stream for one in evidence.streams if _is_contradicted(one, evidence)]
    if not wrong:
        return Check(key, name, "good", f"{known}, as the token says, and they agree")
    words = f"{known}, as the token says, but that is not so of {listed(wrong)}"
    return Check(key, name, "warning", words, _CONTRADICTED)


_CONTRADICTED = (
    "What the token says of its scopes differs from what may be read. The tap goes by the answers; "
    "if a stream is missing from it, sign in again."
)


def _tells_of_scopes(stream: StreamEvidence) -> bool:
    return not isinstance(stream.first, Failed) or stream.first.kind == "forbidden"


def _is_contradicted(stream: StreamEvidence, evidence: Evidence) -> bool:
    """Tell whether the token says something else than the server does."""
    is_allowed = is_readable(stream.resource, evidence.scopes)
    if isinstance(stream.first, Failed):
        return is_allowed and stream.first.kind == "forbidden"
    return not is_allowed


def streams(evidence: Evidence) -> Check:
    """Tell which streams can be read."""
    key, name = "streams", "Streams"
    failed = [one for one in evidence.streams if isinstance(one.first, Failed)]
    good = len(evidence.streams) - len(failed)
    words = f"{good} of {len(evidence.streams) + len(evidence.unasked)} can be read"
    if not failed and not evidence.unasked:
        return Check(key, name, "good", words)
    if failed:
        words += f"; not {listed([one.resource.stream for one in failed])}"
    if evidence.unasked:
        words += f"; {counted(len(evidence.unasked), 'stream')} not asked"
    is_cut_short = bool(evidence.unasked) and not evidence.dead
    stops = not good or any(stops_reading(one, evidence) for one in failed)
    sentences = [] if evidence.dead else [*_sentences(evidence, failed)]
    sentences += [_MORE] if is_cut_short else []
    return Check(key, name, "stops" if stops else "warning", words, " ".join(sentences))


_MORE = "Not all streams were asked for: allow more --requests, or name a --stream."


def stops_reading(stream: StreamEvidence, evidence: Evidence) -> bool:
    """Tell whether a stream fails that a run would want: such that is not just not allowed."""
    if not isinstance(stream.first, Failed):
        return False
    return evidence.is_limited_to_streams or stream.first.kind != "forbidden"


def _sentences(evidence: Evidence, failed: Sequence[StreamEvidence]) -> Iterator[str]:
    """Say what to do about the streams that cannot be read, in one go where it is the same."""
    alike: dict[Failed, list[StreamEvidence]] = {}
    for one in failed:
        if isinstance(one.first, Failed):
            alike.setdefault(one.first, []).append(one)
    for failure in sorted(alike, key=lambda one: one.kind != "forbidden"):
        if failure.kind == "missing" and not evidence.heard:
            yield _NOTHING_THERE
        else:
            yield _sentence([one.resource for one in alike[failure]], failure)


def _sentence(resources: Sequence[Resource], failed: Failed) -> str:
    streams = listed([one.stream for one in resources])
    it = "it" if len(resources) == 1 else "them"
    if failed.kind == "forbidden":
        scopes = listed([f"{one.name}.read.all" for one in resources])
        word = "scope" if len(resources) == 1 else "scopes"
        start = f"The token may not read {streams}: sign in again with the {word} {scopes}"
        return f"{start}, or leave {it} out."
    start = f"Reading {streams} {failed.words}"
    if failed.kind == "missing":
        return f"{start}: this account does not have {it}. Leave {it} out."
    return f"{start}: run this again later; if it stays so, leave {it} out."


_NOTHING_THERE = (
    "Everything is answered as not found (404). Check the setting api_url: it is the root, such as "
    "https://api.cirqll.nl, without /api."
)


def rate_limit(evidence: Evidence) -> Check:
    """Tell how many requests a minute the headers allow."""
    key, name = "rate_limit", "Rate limit"
    limits = [one.rate.limit for one in evidence.heard if one.rate.limit is not None]
    left = [one.rate.remaining for one in evidence.heard if one.rate.remaining is not None]
    if not evidence.heard:
        return Check(key, name, "unknown", "nothing was answered")
    if not limits:
        words = f"not told by the headers; {DOCUMENTED_RATE_LIMIT} a minute are documented"
        return Check(key, name, "warning", words, _NO_LIMIT)
    words = f"{limits[-1]} requests a minute, by the headers"
    if left:
        words += f"; {left[-1]} left at the end"
    return Check(key, name, "good", words)


_NO_LIMIT = (
    "The headers do not tell the rate limit, so runs keep to 60 requests a minute and do not see "
    "what other programs use. If yours is another one, set requests_per_minute."
)
