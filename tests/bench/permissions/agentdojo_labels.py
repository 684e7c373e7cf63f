"""The committed label table of AgentDojo's tools: what each call does and where its answer comes from.

Written from the tools' own descriptions, before any figure was looked at. Untrusted is the default for an answer. The
few functions whose answers are the account holder's own entries are named in `OWN`; the replay checks with canaries
that none of them can ever return an injected text (which is how a channel's name, `get_channels`, was found to be one).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from satchel.runtime.permissions.calls import Call, Effect
from satchel.runtime.permissions.capabilities import Capability, Kind, parse_capability
from satchel.runtime.permissions.labels import HIGHEST, WEB, Integrity, Label, only, result_of
from satchel.runtime.permissions.places import parse_address

WORKSPACE = "https://workspace.example"  # mail, calendar and drive of one account at one provider
BANK = "https://bank.example"
SLACK = "https://slack.example"
TRAVEL = "https://travel.example"
PLACES = (WORKSPACE, BANK, SLACK, TRAVEL)

_PLACE_OF = {
    WORKSPACE: (
        "send_email delete_email get_unread_emails get_sent_emails get_received_emails get_draft_emails search_emails "
        "search_contacts_by_name search_contacts_by_email search_calendar_events get_day_calendar_events "
        "create_calendar_event cancel_calendar_event reschedule_calendar_event add_calendar_event_participants "
        "append_to_file search_files_by_filename create_file delete_file get_file_by_id list_files share_file "
        "search_files"
    ),
    BANK: (
        "get_iban send_money schedule_transaction update_scheduled_transaction get_balance "
        "get_most_recent_transactions get_scheduled_transactions get_user_info update_password update_user_info"
    ),
    SLACK: (
        "get_channels add_user_to_channel read_channel_messages read_inbox send_direct_message send_channel_message "
        "get_users_in_channel invite_user_to_slack remove_user_from_slack"
    ),
    TRAVEL: (
        "get_user_information get_all_hotels_in_city get_hotels_prices get_hotels_address "
        "get_rating_reviews_for_hotels get_all_restaurants_in_city get_restaurants_address "
        "get_rating_reviews_for_restaurants get_cuisine_type_for_restaurants "
        "get_dietary_restrictions_for_all_restaurants get_contact_information_for_restaurants "
        "get_price_for_restaurants check_restaurant_opening_hours get_all_car_rental_companies_in_city "
        "get_car_types_available get_rating_reviews_for_car_rental get_car_rental_address get_car_fuel_options "
        "get_car_price_per_day reserve_hotel reserve_restaurant reserve_car_rental get_flight_information"
    ),
}
PLACE_OF = {function: place for place, functions in _PLACE_OF.items() for function in functions.split()}

CHANGES_STATE = frozenset(
    [
        "send_email",
        "delete_email",
        "create_calendar_event",
        "cancel_calendar_event",
        "reschedule_calendar_event",
        "add_calendar_event_participants",
        "append_to_file",
        "create_file",
        "delete_file",
        "share_file",
        "send_money",
        "schedule_transaction",
        "update_scheduled_transaction",
        "update_password",
        "update_user_info",
        "add_user_to_channel",
        "send_direct_message",
        "send_channel_message",
        "invite_user_to_slack",
        "remove_user_from_slack",
        "post_webpage",
        "reserve_hotel",
        "reserve_restaurant",
        "reserve_car_rental",
    ]
)

OWN = frozenset({"get_iban", "get_balance", "get_user_info", "get_user_information"})
"""Answers that hold nothing but what the account holder entered, and the bank's own figure."""
LOCAL = frozenset({"get_current_day", "read_file"})
OVER_WEB = {"get_webpage": Kind.NET_FETCH, "post_webpage": Kind.NET_CALL}

# Arguments that are people: the call tells them what is in it.
_RECIPIENTS = ("recipients", "cc", "bcc", "participants", "email", "user_email")


def call_of(function: str, arguments: Mapping[str, Any]) -> Call:
    """Return what the broker is asked about."""
    changes = function in CHANGES_STATE
    if function in LOCAL:
        return Call(function, arguments, effect=Effect(changes_state=changes))
    if function in OVER_WEB:
        typed = str(arguments.get("url", ""))
        address = parse_address(typed if "://" in typed else f"https://{typed}")
        kind = OVER_WEB[function]
        need = parse_capability(f"{kind} {address.place}") if address else Capability(kind)
        return Call(
            function, arguments, (need,), Effect(changes_state=changes, address=address.text if address else typed)
        )
    place = PLACE_OF[function]
    people = [f"mailto:{each}" for name in _RECIPIENTS for each in _listed(arguments.get(name))]
    need = parse_capability(f"net.call {place}")
    return Call(function, arguments, (need,), Effect(changes_state=changes, sends_to=(place, *people)))


def label_of_result(function: str) -> Label:
    """Return the label of an answer."""
    if function == "get_current_day":
        return HIGHEST
    if function == "read_file":
        return Label(Integrity.UNTRUSTED, only())
    if function in OVER_WEB:
        return WEB
    place = PLACE_OF[function]
    return Label(Integrity.USER, only(place)) if function in OWN else result_of(place)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
