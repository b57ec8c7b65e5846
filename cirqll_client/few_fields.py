"""Pages with few fields of each record, or with all of them where a server refuses to show few."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cirqll_client.errors import RequestRefused

if TYPE_CHECKING:
    from cirqll_client.client import CirqllClient
    from cirqll_client.query import IndexQuery
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page


class FewFields:
    """Asks for pages of one resource."""

    def __init__(self, client: CirqllClient, resource: Resource, fields: tuple[str, ...]) -> None:
        """Prepare; nothing is asked yet."""
        self._client = client
        self._resource = resource
        self.fields = fields
        """Those that are asked for; none, which means all, once it was refused to show them."""

    def page(self, query: IndexQuery) -> Page:
        """Ask. Raises any ``CirqllError``."""
        try:
            return self._client.index(self._resource, replace(query, show=self.fields))
        except RequestRefused:
            if not self.fields:
                raise
        page = self._client.index(self._resource, query)
        self.fields = ()
        return page
