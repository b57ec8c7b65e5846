"""A local Cirqll: a real server with invented data, for trying things out and for tests.

It was written from the description of the API alone and shares no code with the client, so that the
two can prove each other wrong. From the command line it is `cirqll sandbox`; in Python::

    from dataclasses import replace
    from cirqll_sandbox import Behaviour, Clock, Drift, Sandbox

    sandbox = Sandbox(seed=1, size=0.1, behaviour=Behaviour(rate_limit=0, page_maximum=100))
    with sandbox.running() as url:            # uvicorn on a free port of the loopback interface
        sandbox.access_token                  # the token to use
        customers = sandbox.rows("customer")  # size=0 begins without rows
        customers.insert(name="Bakkerij de Korenaar")     # -> the row; what is not given is null
        customers.insert_many([{"name": "A"}, {"name": "B", "anything": [1]}])    # -> their ids
        customers.update(1, name="C")         # touches updated_at, unless it is given
        customers.delete(1); customers.get(2); len(customers); customers.clear()
        customers.all()                       # every row, as it is stored: to count duplicates
        sandbox.behaviour = replace(sandbox.behaviour, filter_mode="ignore")
        sandbox.faults.add("503", probability=0.1)        # see `faults.FAULT_KINDS`
        sandbox.faults.add("cut-middle", at=3, path="/api/customer")
        sandbox.faults.add("lost-answer", method="POST", path="/api/customer$", times=1)
        sandbox.before_request(lambda request: ...)       # -> a function that ends it
        sandbox.requests                      # time, method, path, query, token, status, ...
        sandbox.forget_requests()
        sandbox.most_in_any_window(seconds=60)
        sandbox.foreign_requests(10)          # other programs eat from the budget
        sandbox.edit_rows("customer", 5)      # somebody changes rows
        sandbox.add_undocumented_fields()
        sandbox.tokens.grant("reader-not-a-secret", scopes=["customer.read.all"])
        sandbox.clock.move(3600)              # Clock.stopped_at(moment), .set(moment), .stop()
        sandbox.rate_limit.reset()
        sandbox.reset()

Rows that go from a reader's sight, or come back::

    sandbox.delete("customer", 1, 2)          # also rows("customer").delete_many(range(3, 9000))
    sandbox.restore("customer", 1)            # touches updated_at (guess); touches=False: as it was
    sandbox.hide("customer", 5)               # the Index skips and counts it; Show gives it
    sandbox.hide("customer", 6, counted=False)
    sandbox.show_again("customer", 5)         # without ids: all of the resource
    Behaviour(skipped_rows={"customer": (5,)}, unlisted_rows={"customer": (6,)})    # the same
    Behaviour(repeated_rows={"customer": (7,)}, total_off_by=-1)
    Behaviour(reach={"customer": (3,)})       # only the customers of user 3 are there
    sandbox.take_scopes("customer.read.all")  # from every living token; give_scopes gives it back
    sandbox.faults.add("403", since=3, path="^/api/customer")     # the third request and all later

What may become of a write (each also an option of `cirqll sandbox --behaviour NAME=VALUE`, of
`PATCH /_sandbox/behaviour` and, for single requests, of the fault `behaviour`)::

    Behaviour(trims_texts=False, empty_texts_become_null=False)    # both are done by default
    Behaviour(text_limit_mode="cut", price_places=2, normalises_email=True, normalises_phone=True)
    Behaviour(ignored_write_fields=("phone",), hidden_fields=("customer.email",))
    Behaviour(unique_fields={"customer": ("import_id",)}, forbidden_rows={"customer": (5,)})
    Behaviour(on_delete_of_parent="refuse", delete_refusal_status=409)        # or "null", "keep"
    Behaviour(archived_in_index="hidden", text_comparison="exact", url_maximum=None)
    sandbox.faults.add("lost-answer")         # carried out, then cut; "cut-before": not carried out
    sandbox.faults.add("slow-commit", seconds=1)       # cut, then carried out
    sandbox.faults.add("500-after-commit")    # carried out, then an error; "502-after-commit": HTML
    sandbox.faults.add("slow", seconds=2)     # carried out, then a late answer; "slow-start" waits
                                              # before; "empty", "truncated": carried out

Records may hold far more than the documentation tells, and change over time::

    sandbox = Sandbox(drift=Drift())          # some 75 fields of all kinds in every record
    sandbox.drift()                           # -> 1: the next epoch, in new rows and in some old
    sandbox.drift(Drift(resources=("customer",), new_rows=5, changed_share=0.2, late_row=150))
    sandbox = Sandbox(keeps_served=True)
    sandbox.served("customer")                # every version that an Index or Show handed out, once
                                              # each: .id, .updated_at, .record (numbers exact)

Custom fields, and what an account may make of them::

    fields = sandbox.custom_fields
    id = fields.add("Soort", owner="customer", type="select", options=["Groot", "Klein"])
    fields.set_value("customer", 5, id, "Klein")      # touches the customer
    fields.add_values("customer", 5, 120)             # as many more, of fields that are made
    fields.rename(id, "Maat"); fields.change_type(id, "text"); fields.delete(id)
    fields.add_option(id, "Midden"); fields.rename_option(3, "Normaal")
    Behaviour(field_values_shape="map", field_value_types="text", option_values="id")
    Behaviour(field_values_rest="index")      # the values beyond 50: "show", "index", "nowhere"
    Behaviour(refused_relations=("contact.field_values",), me_path="/user/me")

Another server than we expect, for all requests or, as a fault with a path, for one resource::

    Behaviour(page_maximum=100, page_maximum_mode="refuse", limit_echo="wrong", total_echo="lying")
    Behaviour(unfilterable_fields=("task.updated_at",), unknown_filter_field="ignore")
    Behaviour(unorderable_fields=("task.updated_at",), unknown_order_field="ignore")
    Behaviour(quotes="literal", wrap_single=True, timezone="Europe/Amsterdam", date_header=False)
    Behaviour(rate_headers=False, rate_limit_told=120, hidden_fields=("customer.phone",))
    sandbox.faults.add("ignore-filter", path="^/api/task$")   # also "refuse-order", ...
    sandbox.faults.add("404", path="^/api/todo")              # also "500", "html-200", "502-html"
    Sandbox(scopes=["customer.read.all"], undocumented_fields=True)

Signing in is at `/oauth/authorize` (a page for a person), `/oauth/token` and `/oauth/scopes`::

    with sandbox.running() as url:
        sandbox.client                        # .id, .secret, .redirect_uris, .name
        pair = sandbox.grant()                # without a browser: .access_token, .refresh_token,
                                              # .expires_in, .scopes
        sandbox.grant(["customer.read.all"], user=account, client=client)
        client = sandbox.add_client("another", redirect_uris=["https://connect.example/back"])
        account = sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
        sandbox.expire_access_tokens()        # or move the clock
        sandbox.expire_refresh_tokens()
        sandbox.revoke(pair.refresh_token)    # with its access token
        sandbox.revoke_everything()           # the user withdraws the access
        sandbox.refresh_as_another_program(pair.refresh_token)    # -> the pair that replaces it
        sandbox.token_requests                # time, grant_type, client_id, credential, outcome,
                                              # status, faults; `credential` is a fingerprint
        sandbox.authorize_requests            # time, method, parameters, outcome, status, faults
        fingerprint(pair.refresh_token)       # to compare with `credential`
        sandbox.before_token_request(lambda request: ...)
        sandbox.faults.add("lost-answer", path="/oauth/token", times=1)
        sandbox.behaviour = replace(sandbox.behaviour, refresh_rotates=False)
    Sandbox(behaviour=LUCA)                   # another token service's habits

Numbers go out with exactly the digits that came in: an `int`, a `float`, a `Decimal`, or a
`SpelledNumber("1e400")`, which is a `Decimal` that remembers how it was written. The same is done
over HTTP below `/_sandbox/`: see `cirqll_sandbox.admin`. The guesses about Cirqll are all in
`cirqll_sandbox.behaviour` and, on how values compare, in `cirqll_sandbox.values`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clock import Clock
    from cirqll_sandbox.drift import Drift
    from cirqll_sandbox.exact_json import SpelledNumber
    from cirqll_sandbox.oauth_log import fingerprint
    from cirqll_sandbox.sandbox import Sandbox
    from cirqll_sandbox.token_services import LUCA

__all__ = ["LUCA", "Behaviour", "Clock", "Drift", "Sandbox", "SpelledNumber", "fingerprint"]

_HOMES = {
    "LUCA": "token_services", "Behaviour": "behaviour", "Clock": "clock", "Drift": "drift",
    "Sandbox": "sandbox", "SpelledNumber": "exact_json", "fingerprint": "oauth_log",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for, so that importing the package costs nothing."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
