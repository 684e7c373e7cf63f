from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.runtime.permissions.labels import (
    ATTACHED_FILE,
    EVERYONE,
    HIGHEST,
    LOWEST,
    PERSON_ALONE,
    RECEIVED_PACK,
    WEB,
    Integrity,
    Label,
    Readers,
    join,
    knowledge_label,
    only,
    restored,
    result_of,
    stored,
    typed_label,
)

A, B = "https://a.org", "https://b.org"
readers = st.builds(Readers, everyone=st.just(True)) | st.builds(
    Readers, everyone=st.just(False), places=st.frozensets(st.sampled_from([A, B, "search:ddgs"]))
)
labels = st.builds(Label, st.sampled_from(Integrity), readers)


@given(labels, labels, labels)
def test_joining_is_a_lattices_join(a, b, c):
    assert a.joined(b) == b.joined(a)
    assert a.joined(a) == a
    assert a.joined(b).joined(c) == a.joined(b.joined(c)) == join([a, b, c])
    assert HIGHEST.joined(a) == a
    assert a.joined(LOWEST) == LOWEST


@given(labels, labels)
def test_what_is_made_of_two_values_goes_only_where_both_may_go(a, b):
    for place in (A, B, "elsewhere"):
        both = a.readers.include(place) and b.readers.include(place)
        assert a.joined(b).readers.include(place) == both
    assert a.joined(b).untrusted == (a.untrusted or b.untrusted)


def test_integrity_rises_from_untrusted_to_user():
    assert Integrity.UNTRUSTED < Integrity.PACK < Integrity.USER
    assert join([]) == HIGHEST


@pytest.mark.parametrize(
    ("label", "integrity", "who"),
    [
        (typed_label([A]), Integrity.USER, only(A)),
        (knowledge_label(trusted=False, public=False), Integrity.UNTRUSTED, PERSON_ALONE),
        (knowledge_label(trusted=True, public=False), Integrity.PACK, PERSON_ALONE),
        (knowledge_label(trusted=False, public=True), Integrity.UNTRUSTED, EVERYONE),
        (RECEIVED_PACK, Integrity.PACK, EVERYONE),
        (ATTACHED_FILE, Integrity.UNTRUSTED, PERSON_ALONE),
        (WEB, Integrity.UNTRUSTED, EVERYONE),
        (result_of(A), Integrity.UNTRUSTED, only(A)),
        (LOWEST, Integrity.UNTRUSTED, PERSON_ALONE),
    ],
)
def test_values_are_labelled_as_designs_table_says(label, integrity, who):
    assert label == Label(integrity, who)


@given(labels)
def test_a_stored_label_comes_back(label):
    restored_label = restored(stored(label))

    assert restored_label.integrity == label.integrity
    assert restored_label.readers.everyone == label.readers.everyone
    assert label.readers.everyone or restored_label.readers == label.readers


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        "user",
        {"integrity": "root", "everyone": True, "places": []},
        {"integrity": "user", "everyone": 1, "places": []},
        {"integrity": "user", "everyone": True, "places": [], "more": 1},
    ],
)
def test_an_unreadable_label_counts_as_the_lowest(document):
    assert restored(document) == LOWEST
