"""The web application: what each address answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from cirqll_client.connect_server import connect_pages, refusals
from cirqll_client.connect_server.answers import Answers
from cirqll_client.connect_server.bodies import LARGEST_BODY, body_of, form_of
from cirqll_client.connect_server.browsers import Browsers
from cirqll_client.connect_server.consents import Ticket
from cirqll_client.connect_server.link_calls import KEY_VARIABLE, link_answer
from cirqll_client.connect_server.link_life import AN_OLD_PAGE, Reason, Refused
from cirqll_client.connect_server.request_log import RequestLog, log_mistake
from cirqll_client.errors import CirqllError, SettingInvalid, Unavailable
from cirqll_client.pages import is_early

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from cirqll_client.connect_server.addresses import PublicUrl
    from cirqll_client.connect_server.consents import Consents
    from cirqll_client.connect_server.link_calls import Key
    from cirqll_client.connect_server.links import Links

CONNECT, CALLBACK, LINKS = "/connect", "/callback", "/links"
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_SENTENCES = {
    400: "The body could not be read.",
    401: "The key is missing or wrong: send it as Authorization: Bearer <key>.",
    404: "There is no such address.",
    405: "This address takes no such method.",
    408: "The body did not come in time.",
    413: f"The body is too large: at most {LARGEST_BODY} bytes are taken.",
    415: f"The body must be sent as Content-Type: {_JSON}.",
    500: "This failed by a mistake of the server; its records tell more.",
}
_OFF = (
    f"Links are not made over HTTP here: the server was started without {KEY_VARIABLE}. Make them "
    "with `cirqll connect link`, or start it with a key."
)

logger = logging.getLogger(__name__)


class _Endpoints:
    """The addresses; each answers a person with a page, or a program with JSON."""

    def __init__(
        self, consents: Consents, links: Links, *, public_url: PublicUrl, key: Key | None
    ) -> None:
        self._consents = consents
        self._links = links
        self._public_url = public_url
        self._key = key
        self._action = f"{public_url.path}{CONNECT}"
        self._answers = Answers(public_url)
        self._browsers = Browsers(public_url)

    async def connect(self, request: Request) -> Response:
        """Explain what is asked; opening the page begins nothing and uses nothing up."""
        if request.method == "POST":
            return await self._start(request)
        browser = self._browsers.known(request)
        link_id = await run_in_threadpool(self._consents.startable_again, browser)
        return self._answers.page(connect_pages.beginning(action=self._action, link_id=link_id))

    async def callback(self, request: Request) -> Response:
        """Take a person back from Cirqll."""
        if request.method != "GET":
            raise HTTPException(405, headers={"Allow": "GET"})
        if is_early(request.headers.get):
            return self._answers.page(refusals.EARLY, status=503)
        query = form_of(request.scope["query_string"])
        browser = self._browsers.known(request)
        try:
            end = await run_in_threadpool(self._consents.finish, query, browser=browser or "")
        except Refused as refused:
            return await self._refusal(refused, browser)
        page = connect_pages.completed(end)
        if end.callback_message is None:
            return self._answers.page_that_leads_on(page, end.target_origin)
        return self._answers.page(page)

    async def links(self, request: Request) -> Response:
        """Make a link for a program."""
        if self._key is None:
            return self._answers.json(404, {"error": _OFF})
        if not self._key.opens(request.headers.get("authorization", "")):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        body = await body_of(request, content_type=_JSON)
        try:
            answer = await run_in_threadpool(
                link_answer, body, links=self._links, public_url=self._public_url
            )
        except SettingInvalid as error:
            return self._answers.json(400, {"error": error.sentence})
        except Unavailable as error:
            logger.error("%s", error.sentence)  # noqa: TRY400 - the sentence says it all
            return self._answers.json(503, {"error": error.sentence})
        return self._answers.json(201, answer)

    async def not_answered(self, request: Request, error: Exception) -> Response:
        """Answer where no address did: a page, or JSON for programs."""
        status, headers = 500, None
        if isinstance(error, HTTPException):
            status, headers = error.status_code, error.headers
        else:
            log_mistake(error)
        if request.scope["path"].endswith(LINKS):
            return self._answers.json(status, {"error": _SENTENCES[status]}, headers)
        page = _PAGES.get(status, refusals.NOT_SO)
        return self._answers.page(page, status=status, headers=headers)

    async def failed(self, request: Request, error: Exception) -> Response:
        """Answer where the settings or the store fail; the reason is for the operator only."""
        assert isinstance(error, CirqllError)  # noqa: S101 - it is registered for these
        del request
        logger.error("%s", error.sentence)
        is_later = isinstance(error, Unavailable)
        page, status = (refusals.DOWN, 503) if is_later else (refusals.MISSET, 500)
        return self._answers.page(page, status=status)

    async def _start(self, request: Request) -> Response:
        """Lead a person to Cirqll."""
        form = form_of(await body_of(request, content_type=_FORM))
        ticket = Ticket(form.get("token", ""), form.get("link", ""), form.get("target_origin", ""))
        browser, cookie = self._browsers.made_known(request)
        try:
            if self._browsers.is_foreign(request):
                raise Refused(Reason.FOREIGN_FORM)  # noqa: TRY301 - as the others
            url = await run_in_threadpool(self._consents.start, ticket, browser=browser)
        except Refused as refused:
            return await self._refusal(refused, None)
        answer = self._answers.page_that_leads_on(connect_pages.leaving(url), url)
        answer.headers["Set-Cookie"] = cookie
        return answer

    async def _refusal(self, refused: Refused, browser: str | None) -> Response:
        """Say why a person cannot go on, and let them try again where they may."""
        status, page = refusals.REFUSALS[refused.reason]
        link_id = refused.link_id
        if refused.reason in AN_OLD_PAGE:
            link_id = await run_in_threadpool(self._consents.startable_again, browser)
        page = connect_pages.with_again(page, action=self._action, link_id=link_id)
        return self._answers.page(page, status=status)


_PAGES = {404: refusals.NOTHING_HERE, 500: refusals.DOWN}


def build_app(
    consents: Consents, links: Links, *, public_url: PublicUrl, key: Key | None = None
) -> ASGIApp:
    """Build the application.

    A proxy may pass the path of the public URL on or leave it out; both are understood.
    """
    endpoints = _Endpoints(consents, links, public_url=public_url, key=key)
    routes = [
        Route(root + path, endpoint, methods=methods)
        for root in dict.fromkeys(("", public_url.path))
        for path, endpoint, methods in (
            (CONNECT, endpoints.connect, ["GET", "POST"]),
            (CALLBACK, endpoints.callback, ["GET"]),
            (LINKS, endpoints.links, ["POST"]),
        )
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: endpoints.not_answered,
            CirqllError: endpoints.failed,
            Exception: endpoints.not_answered,
        },
    )
    # It would build the URL from the Host header, which anybody may write.
    app.router.redirect_slashes = False
    return RequestLog(app, paths=frozenset(route.path for route in routes))
