"""The target that one writes with the SDK's template: a request for each row, every default.

A row with an `id` is a PATCH, any other one a POST: that is all a sink without look-ups can do. It
tries again as the SDK's own streams do, creates too.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import backoff
import requests
from singer_sdk import Target
from singer_sdk import typing as th
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from singer_sdk.sinks import RecordSink

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

TIMEOUT_SECONDS: Final = 60
TRIES: Final = 5
NOT_WRITTEN: Final = {"id", "created_at", "updated_at"}


class PlainSink(RecordSink):
    """One resource of Cirqll."""

    def setup(self) -> None:
        """Open one session for all rows."""
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {self.config['access_token']}"
        self._session.headers["Accept"] = "application/json"

    def process_record(
        self,
        record: dict[str, Any],
        context: Context,  # noqa: ARG002 - the SDK's signature
    ) -> None:
        """Send the row as it is."""
        path = f"/api/{self.stream_name.removesuffix('s')}"
        body = {name: value for name, value in record.items() if name not in NOT_WRITTEN}
        if "id" in record:
            self._send("PATCH", f"{path}/{record['id']}", body)
        else:
            self._send("POST", path, body)

    @backoff.on_exception(
        backoff.expo,
        (RetriableAPIError, requests.Timeout, requests.ConnectionError),
        max_tries=TRIES,
        factor=2,
    )
    def _send(self, method: str, path: str, body: dict[str, Any]) -> None:
        answer = self._session.request(
            method,
            f"{self.config['api_url']}{path}",
            data=json.dumps(body, default=str),  # the SDK made `datetime` of times
            headers={"Content-Type": "application/json"},
            timeout=TIMEOUT_SECONDS,
        )
        status = answer.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetriableAPIError(answer.text, answer)
        if status >= HTTPStatus.BAD_REQUEST:
            raise FatalAPIError(answer.text)


class PlainTarget(Target):
    """The plain target."""

    name = "target-plain"
    default_sink_class = PlainSink
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
    ).to_dict()


if __name__ == "__main__":
    PlainTarget.cli()
