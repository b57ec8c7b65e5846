"""An interview: the questions of a suite asked in turn, and what the client made of each answer."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError, SettingInvalid, Unavailable
from tests.contract.questions import NOT_ASKED, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.settings import ConnectionSettings
    from tests.contract.questions import Question, Suite
    from tests.contract.recorder import Tape

WRONG_TOKEN = "not-a-token-of-cirqll"


class Waits(Exception):
    """The client would wait now, and ask again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question."""

    question: Question
    came: object
    """A page, a record, nothing, or the error that the client raised."""


def never_wait(_seconds: float) -> NoReturn:
    """Give up where the client would wait."""
    raise Waits


def interview(
    suite: Suite,
    settings: ConnectionSettings,
    tape: Tape,
    *,
    pause: Callable[[float], object],
    before: Callable[[Question], object] = lambda _question: None,
) -> tuple[list[Outcome], Seen]:
    """Ask each question on a connection of its own, so that none has to wait for another.

    What can only be asked about a record, is left out where there is none. Raises ``Unavailable``
    and ``SettingInvalid``; other errors are outcomes.
    """
    seen, outcomes = Seen(), []
    for question in suite.questions:
        before(question)
        begin = tape.length
        came = _came_of(question, _settings_for(question, settings), seen, pause)
        tape.keep_last_answers(since=begin)
        if came is not NOT_ASKED:
            outcomes.append(Outcome(question, came))
    return outcomes, seen


def _came_of(
    question: Question, settings: ConnectionSettings, seen: Seen, pause: Callable[[float], object]
) -> object:
    with closing(connect(settings, pause=pause)) as connection:
        try:
            return question.ask(connection.client, seen)
        except (Unavailable, SettingInvalid):
            raise
        except (CirqllError, Waits) as error:
            return error


def _settings_for(question: Question, settings: ConnectionSettings) -> ConnectionSettings:
    if not question.has_wrong_token:
        return settings
    return replace(settings, access_token=WRONG_TOKEN, refresh_token=None)
