"""The tap that the SDK's template gives: `RESTStream`, an offset paginator, every default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseOffsetPaginator

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context

CUSTOMER = th.PropertiesList(
    th.Property("id", th.IntegerType, required=True),
    th.Property("name", th.StringType),
    th.Property("email", th.StringType),
    th.Property("phone", th.StringType),
    th.Property("website", th.StringType),
    th.Property("description", th.StringType),
    th.Property("coc_number", th.StringType),
    th.Property("vat_number", th.StringType),
    th.Property("address", th.ObjectType(additional_properties=True)),
    th.Property("user_id", th.IntegerType),
    th.Property("origin_id", th.IntegerType),
    th.Property("import_id", th.IntegerType),
    th.Property("archived_at", th.DateTimeType),
    th.Property("created_at", th.DateTimeType),
    th.Property("updated_at", th.DateTimeType),
    # The fields that Cirqll does not document; somebody who met them would add them.
    th.Property("number", th.StringType),
    th.Property("type", th.StringType),
    th.Property("language", th.StringType),
    th.Property("payment_term", th.IntegerType),
    th.Property("discount", th.NumberType),
    th.Property("credit_limit", th.NumberType),
    th.Property("is_supplier", th.BooleanType),
    th.Property("newsletter", th.BooleanType),
    th.Property("iban", th.StringType),
    th.Property("invoice_email", th.StringType),
    th.Property("last_contact_at", th.DateTimeType),
    th.Property("labels", th.ArrayType(th.StringType)),
).to_dict()


class TotalPaginator(BaseOffsetPaginator):
    """Offsets up to the total that the answer tells."""

    def has_more(self, response: requests.Response) -> bool:
        """Whether rows lie behind this page."""
        return self.current_value + self._page_size < int(response.json()["total"])


class PlainStream(RESTStream[int]):
    """One resource of Cirqll; every one has the customers' schema."""

    primary_keys: ClassVar[list[str]] = ["id"]
    replication_key = "updated_at"
    records_jsonpath = "$.data[*]"
    schema = CUSTOMER

    @property
    def url_base(self) -> str:
        """The root of the resources."""
        return f"{self.config['api_url']}/api"

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        """The token of the settings."""
        return BearerTokenAuthenticator(token=self.config["access_token"])

    def get_new_paginator(self) -> TotalPaginator:
        """Offsets from the start."""
        return TotalPaginator(start_value=0, page_size=self.config["page_size"])

    def get_url_params(
        self,
        context: Context | None,  # noqa: ARG002 - the SDK's signature
        next_page_token: int | None,
    ) -> dict[str, Any]:
        """One page, in the order of the replication key."""
        return {
            "limit": self.config["page_size"],
            "offset": next_page_token or 0,
            "order_by": "updated_at,id",
        }


class PlainTap(Tap):
    """The plain tap, its streams named in the settings."""

    name = "tap-plain"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, default=100),
        th.Property("streams", th.ArrayType(th.StringType), default=["customers"]),
    ).to_dict()

    def discover_streams(self) -> list[PlainStream]:
        """Make a stream for each name."""
        return [
            PlainStream(self, name=name, path=f"/{name.removesuffix('s')}")
            for name in self.config["streams"]
        ]


if __name__ == "__main__":
    PlainTap.cli()
