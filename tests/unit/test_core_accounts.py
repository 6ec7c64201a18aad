"""Accounts that administrators create, change and delete, for every protocol alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.bmc.accounts import ATTEMPTS_KEPT, Accounts, AuthResult, is_room
from emulator.core.bmc.accounts_admin import (
    PRIVILEGE_OF_ROLE,
    ROLE_OF_PRIVILEGE,
    AccountLimits,
    AccountRefused,
    Wrong,
    create,
)
from emulator.core.journal import EventKind
from profiles.model import Account, AuthRules, Lockout, Sessions


def accounts_of(count=1, lockout=None):
    return Accounts(
        AuthRules(
            basic=True,
            accounts=tuple(Account(name=f"u{n}", password="pw", role="Administrator") for n in range(count)),
            sessions=Sessions(max=None, timeout_s=60),
            lockout=lockout or Lockout(by="account", failures=3, window_s=60, penalty_s=60),
        )
    )


def logs_in(view, name, password):
    return view.verify(name, password, "a", "basic")[0] is AuthResult.OK


def refusal(do, *args, **options):
    with pytest.raises(AccountRefused) as refused:
        do(*args, **options)
    return refused.value.wrong


def test_a_created_account_logs_in_and_its_password_is_nowhere_in_the_journal(bench):
    view = bench.view()
    made = view.users.create("ops", "0rchid-Lamp", "Operator")
    assert (made.slot, made.over_ipmi) == (4, True)
    assert logs_in(view, "ops", "0rchid-Lamp")
    view.users.change("ops", password="Velvet-9")
    assert not logs_in(view, "ops", "0rchid-Lamp")
    assert logs_in(view, "ops", "Velvet-9")
    journal = bench.rack.journal.to_jsonl()
    assert "0rchid" not in journal
    assert "Velvet" not in journal
    assert [event.data["what"] for event in bench.events(EventKind.ACCOUNT)] == ["created", "changed"]


def test_a_password_that_must_be_changed_is_free_after_the_change(bench):
    users = bench.view().users
    users.create("new", "first-one", "ReadOnly", must_change=True)
    assert users.get("new").must_change
    assert not users.change("new", password="second-one").must_change
    assert users.change("new", password="third-one", must_change=True).must_change


def test_a_disabled_account_cannot_log_in_and_loses_its_sessions(bench):
    view = bench.view()
    session = view.open_session(view.account("guest"))
    view.users.change("guest", enabled=False)
    assert view.use_session(session.token) is None
    assert not logs_in(view, "guest", "looks-only")
    assert not view.account("guest").over_ipmi
    view.users.change("guest", enabled=True)
    assert logs_in(view, "guest", "looks-only")


def test_sessions_follow_a_new_name_and_role_and_end_with_the_account(bench):
    view = bench.view()
    other, session = view.open_session(view.account("root")), view.open_session(view.account("guest"))
    view.users.change("guest", new_name="visitor", role="Operator")
    assert (view.use_session(session.token).user, view.use_session(session.token).role) == ("visitor", "Operator")
    view.users.delete("visitor")
    assert view.use_session(session.token) is None
    assert view.use_session(other.token) is other
    assert bench.events(EventKind.SESSION)[-1].data["what"] == "closed: the account is gone"


def test_the_last_enabled_administrator_stays(bench):
    users = bench.view().users
    for attempt in (
        lambda: users.delete("root"),
        lambda: users.change("root", enabled=False),
        lambda: users.change("root", role="Operator"),
    ):
        assert refusal(attempt) is Wrong.LAST_ADMINISTRATOR
    users.create("second", "pass-word", "Administrator", enabled=False)
    assert refusal(users.delete, "root") is Wrong.LAST_ADMINISTRATOR
    users.change("second", enabled=True)
    users.delete("root")
    assert [account.name for account in users.all()] == ["guest", "second"]


def test_refusals_carry_their_wire_codes():
    codes = {wrong: (AccountRefused(wrong, "x").http_status, AccountRefused(wrong, "x").completion_code) for wrong in Wrong}
    assert codes[Wrong.UNKNOWN] == (404, 0xCC)
    assert codes[Wrong.LAST_ADMINISTRATOR] == (403, 0xD6)
    assert codes[Wrong.FULL] == (400, 0xC4)
    assert codes[Wrong.BAD_NAME] == (400, 0xCC)


def test_what_makes_no_account_is_refused_and_changes_nothing(bench):
    users = bench.view().users
    before = users.all()
    for name in ("", "x" * 65, "a:b", "a\nb"):
        assert refusal(users.create, name, "pass", "Operator") is Wrong.BAD_NAME
    assert refusal(users.create, "root", "pass", "Operator") is Wrong.NAME_TAKEN
    assert refusal(users.create, "a", "", "Operator") is Wrong.BAD_PASSWORD
    assert refusal(users.create, "a", "x" * 128, "Operator") is Wrong.BAD_PASSWORD
    assert refusal(users.create, "a", "pass", "King") is Wrong.BAD_ROLE
    for slot in (1, 17, 2):
        assert refusal(users.create, "a", "pass", "Operator", slot=slot) is Wrong.BAD_SLOT
    assert refusal(users.change, "nobody", enabled=True) is Wrong.UNKNOWN
    assert refusal(users.change, "guest", new_name="root") is Wrong.NAME_TAKEN
    assert refusal(users.change, "guest", role="Operator", password="") is Wrong.BAD_PASSWORD
    assert users.all() == before


def test_ipmi_names_a_user_first_and_gives_it_a_password_later(bench):
    view = bench.view()
    view.users.create("late", "", "ReadOnly", enabled=False, slot=9)
    assert not logs_in(view, "late", "")
    assert refusal(view.users.change, "late", enabled=True) is Wrong.BAD_PASSWORD
    view.users.change("late", password="now-so")
    view.users.change("late", enabled=True)
    assert logs_in(view, "late", "now-so")
    assert view.users.in_slot(9).name == "late"


def test_user_ids_are_stable_and_the_lowest_free_one_is_next(bench):
    users = bench.view().users
    users.create("a", "pass", "Operator")
    users.create("b", "pass", "Operator")
    users.delete("a")
    assert users.in_slot(4) is None
    assert users.change("b", new_name="bee").slot == 5
    assert users.create("c", "pass", "Operator").slot == 4
    assert [account.name for account in users.all()] == ["root", "guest", "bee", "c"]
    assert users.in_slot(0) is None
    assert bench.rack.unit("node1").accounts.slot("nobody") == 0


def test_more_accounts_than_user_ids_have_no_ipmi_user():
    accounts = accounts_of(16)
    assert [account.slot for account in accounts] == [*range(2, 17), 0]
    assert refusal(create, accounts, "x", "pass", "Operator") is Wrong.FULL
    extra = create(accounts, "x", "pass", "Operator", limits=AccountLimits(accounts=20))
    assert (extra.slot, extra.over_ipmi) == (0, False)


@pytest.mark.parametrize(
    ("name", "password", "fits"),
    [("a" * 16, "p" * 20, True), ("a" * 17, "p" * 20, False), ("a", "p" * 21, False), ("é" * 9, "pass", False)],
)
def test_ipmi_has_room_for_short_names_and_passwords_only(bench, name, password, fits):
    view = bench.view()
    assert view.users.create(name, password, "Operator").over_ipmi is fits
    assert logs_in(view, name, password), "Redfish takes it all the same"


def test_an_unlocked_account_may_try_again(bench):
    view = bench.view()
    for _ in range(3):
        view.verify("guest", "no", "a", "basic")
    assert not logs_in(view, "guest", "looks-only")
    view.users.unlock("guest")
    assert logs_in(view, "guest", "looks-only")
    assert refusal(view.users.unlock, "nobody") is Wrong.UNKNOWN


def test_roles_and_privileges_are_each_others_inverse():
    assert {ROLE_OF_PRIVILEGE[privilege]: privilege for privilege in (2, 3, 4)} == PRIVILEGE_OF_ROLE
    assert 15 not in ROLE_OF_PRIVILEGE


def test_invented_names_fill_no_memory_and_free_no_locked_account():
    accounts = accounts_of()
    for _ in range(3):
        accounts.verify("u0", "no", "a", 0.0)
    for n in range(ATTEMPTS_KEPT * 2):
        accounts.verify(f"invented{n}", "no", "a", 1.0)
    assert len(accounts._attempts) == ATTEMPTS_KEPT
    assert accounts.is_locked("u0", "a", 2.0)


def test_where_everything_is_locked_the_oldest_lock_makes_room():
    accounts = accounts_of(lockout=Lockout(by="address", failures=1, window_s=60, penalty_s=60))
    for n in range(ATTEMPTS_KEPT + 1):
        accounts.verify("u0", "no", f"host{n}", 0.0)
    assert [accounts.is_locked("u0", f"host{n}", 0.0) for n in (0, 1, ATTEMPTS_KEPT)] == [False, True, True]


# -- limits -------------------------------------------------------------------------------------------------------------


def test_invented_names_of_any_length_cost_a_few_bytes_each_and_are_locked_like_others(profile):
    accounts = Accounts(replace(profile.auth, lockout=Lockout(failures=2, penalty_s=60, window_s=60, by="account")))
    long = "u" * 1_000_000
    for name in (long, "\ud800" * 40, long + "x"):
        assert accounts.note(name, "192.0.2.1", 0.0, ok=False) is False
        assert accounts.note(name, "192.0.2.1", 0.0, ok=False) is True
        assert accounts.is_locked(name, "192.0.2.9", 1.0)
    assert not accounts.is_locked(long + "y", "192.0.2.1", 1.0)
    accounts.unlock(long)
    assert not accounts.is_locked(long, "192.0.2.1", 1.0)
    assert max(len(key) for key in accounts._attempts) <= 64


@given(st.lists(st.sampled_from(["Administrator", "Operator", "ReadOnly"]), max_size=40), st.integers(1, 12))
def test_others_never_take_the_last_places_of_administrators(wishes, limit):
    held = []
    for role in wishes:
        if is_room(limit, role, held):
            held.append(role)
    assert len(held) <= limit
    administrators = held.count("Administrator")
    if limit > 1 and administrators == 0:
        assert is_room(limit, "Administrator", held)


def test_wrong_credentials_may_make_the_answer_late_until_right_ones_come(bench):
    accounts = accounts_of(lockout=Lockout(by="account", failures=0, delay_s=10.0, delay_after=1))
    late = []
    for password in ("bad", "bad", "bad", "pw", "bad"):
        accounts.verify("u0", password, "here", 0.0)
        late.append(accounts.late_s)
    assert late == [0.0, 10.0, 10.0, 0.0, 0.0]
    assert bench.view().login_late_s == 0.0
