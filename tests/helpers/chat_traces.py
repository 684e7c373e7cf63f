"""Random chats told to the broker and to the reference monitor at once (Hypothesis, stateful)."""

from __future__ import annotations

from helpers import reference_monitor as reference
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from satchel.runtime.permissions.broker import Allow, Ask, decide
from satchel.runtime.permissions.calls import Call, Effect, Situation
from satchel.runtime.permissions.capabilities import parse_capability, parse_requests
from satchel.runtime.permissions.errors import StandingApprovalError
from satchel.runtime.permissions.grants import Choice, Grant, Grants
from satchel.runtime.permissions.labels import EVERYONE, Integrity, Label, only
from satchel.runtime.permissions.plan import Plan, plan_calls
from satchel.runtime.permissions.standing import make_standing_approval

PLACES = ["https://a.org", "https://b.a.org", "http://a.org", "https://evil.org:8443", "search:ddgs"]
URLS = ["https://a.org/", "https://b.a.org/x?q=1", "https://evil.org:8443/s", "http://a.org/"]
POWERS = [
    *("net.fetch", "net.fetch https://a.org", "net.fetch https://*.a.org", "net.fetch https://evil.org:8443"),
    *("net.search ddgs", "net.search", "fs.read", "fs.read notes", "fs.write notes/2024", "code.run"),
    *("mcp.connect https://a.org", "mcp.connect https://a.org/mcp", "mcp.spawn npx server"),
]
NEEDS = [
    *("net.fetch https://a.org", "net.fetch https://b.a.org", "net.fetch https://evil.org:8443", "net.search ddgs"),
    *("net.fetch", "fs.read notes", "fs.read notes/a.txt", "fs.read notesbook", "fs.write notes/2024/b", "code.run"),
    *("mcp.connect https://a.org/mcp", "mcp.connect https://a.org/other", "mcp.spawn npx server"),
]
TOOLS = ["one", "two"]

labels = st.tuples(
    st.sampled_from([reference.UNTRUSTED, reference.PACK, reference.USER]),
    st.sampled_from([None, frozenset(), frozenset(PLACES[:1]), frozenset(PLACES[1:3]), frozenset(PLACES)]),
)
calls = st.fixed_dictionaries(
    {
        "tool": st.sampled_from(TOOLS),
        "arguments": st.dictionaries(st.sampled_from(["q", "body"]), st.sampled_from(["", "hello", "x" * 9, 1, "1"])),
        "needs": st.lists(st.sampled_from(NEEDS), max_size=2, unique=True),
        "changes": st.booleans(),
        "sends_to": st.lists(st.sampled_from(PLACES), max_size=2, unique=True),
        "url": st.sampled_from(["", "", *URLS]),
    }
)


def real_label(label: tuple[int, frozenset[str] | None]) -> Label:
    return Label(Integrity(label[0]), EVERYONE if label[1] is None else only(*label[1]))


def real_call(call: dict) -> Call:
    effect = Effect(call["changes"], tuple(call["sends_to"]), call["url"])
    return Call(call["tool"], call["arguments"], tuple(map(parse_capability, call["needs"])), effect)


class ChatTraces(RuleBasedStateMachine):
    """One chat; every `decide` must agree."""

    @initialize(
        # Mostly everything, so that not each call ends at the first "deny".
        requests=st.just(dict.fromkeys(TOOLS, POWERS))
        | st.dictionaries(st.sampled_from(TOOLS), st.lists(st.sampled_from(POWERS), max_size=4, unique=True)),
        received=st.booleans(),
        context=labels,
        planned=st.lists(calls, max_size=2),
    )
    def begin(self, requests, received, context, planned):
        self.state = {
            "requests": requests,
            "received": received,
            "context": context,
            "allowed": [],
            "never": [],
            "once": [],
            "standing": [],
            "typed": set(),
            "links": set(),
            "now": 0.0,
        }
        self.before = dict(self.state)
        self.planned = list(planned) if context[0] == reference.USER else []
        self.last = None
        self.requests = parse_requests(requests.items())
        self.grants = Grants()
        self.plan: Plan = plan_calls(map(real_call, planned), self.situation())

    def situation(self) -> Situation:
        state = self.state
        return Situation(
            real_label(state["context"]),
            received=state["received"],
            typed_addresses=frozenset(state["typed"]),
            search_links=frozenset(state["links"]),
            now=state["now"],
        )

    @rule(label=labels)
    def something_is_read(self, label):
        low, readers = self.state["context"]
        shared = label[1] if readers is None else readers if label[1] is None else readers & label[1]
        self.state["context"] = (min(low, label[0]), shared)
        joined = real_label((low, readers)).joined(real_label(label))
        assert joined == real_label(self.state["context"])

    @rule(url=st.sampled_from(URLS), how=st.sampled_from(["typed", "links"]))
    def an_address_comes_up(self, url, how):
        self.state[how] = self.state[how] | {url}

    @rule(
        tool=st.sampled_from(TOOLS),
        power=st.sampled_from([*POWERS, ""]),
        never=st.sampled_from([False, False, False, True]),
    )
    def a_power_is_answered(self, tool, power, never):
        grant = Grant(tool, parse_capability(power) if power else None)
        if never:
            self.state["never"] = [*self.state["never"], (tool, power)]
            self.grants = Grants(self.grants.allowed, self.grants.never | {grant}, *self.rest())
        else:
            self.state["allowed"] = [*self.state["allowed"], (tool, power)]
            self.grants = Grants(self.grants.allowed | {grant}, self.grants.never, *self.rest())

    def rest(self):
        return self.grants.answered, self.grants.standing

    @rule(choice=st.sampled_from(Choice))
    def the_last_request_is_answered(self, choice):
        if self.last is None:
            return
        state, call = self.state, self.last
        powers = [(call["tool"], need) for need in call["needs"]] or [(call["tool"], "")]
        if choice is Choice.NEVER:
            state["never"] = [*state["never"], *powers]
        else:
            state["once"] = [*state["once"], call]
            if choice is not Choice.ONCE:
                state["allowed"] = [*state["allowed"], *powers]
        self.grants = self.grants.with_answer(real_call(call), choice)

    @rule(free=st.sampled_from(["", "q", "body"]), characters=st.sampled_from([0, 4, 5, 2000]), days=st.integers(0, 3))
    def a_standing_approval_is_made(self, free, characters, days):
        if self.last is None:
            return
        call, now = self.last, self.state["now"]
        until = now + days
        possible = until > now and (not free or (isinstance(call["arguments"].get(free), str) and characters > 0))
        try:
            made = make_standing_approval(
                name="daily", pack_id="p", call=real_call(call), free=free, characters=characters, until=until, now=now
            )
        except StandingApprovalError:
            assert not possible
            return
        assert possible
        self.grants = Grants(
            self.grants.allowed, self.grants.never, self.grants.answered, (*self.grants.standing, made)
        )
        approval = {
            "tool": call["tool"],
            "url": call["url"],
            "destinations": reference.destinations(call),
            "arguments": {key: value for key, value in call["arguments"].items() if key != free},
            "until": until,
            "free": free,
            "characters": characters,
        }
        self.state["standing"] = [*self.state["standing"], approval]

    @rule(days=st.sampled_from([1.0, 2.5]))
    def time_passes(self, days):
        self.state["now"] += days

    @rule(call=calls, given_labels=st.dictionaries(st.sampled_from(["q", "body"]), labels))
    def a_call_is_made(self, call, given_labels):
        self.compare(call, given_labels)

    @rule(given_labels=st.dictionaries(st.sampled_from(["q", "body"]), labels))
    def the_last_call_is_made_again(self, given_labels):
        if self.last is not None:
            self.compare(self.last, given_labels)

    @rule(number=st.integers(0, 1))
    def a_planned_call_is_made(self, number):
        if number < len(self.planned):
            self.compare(self.planned[number], {})

    def compare(self, call, given_labels):
        self.last = call
        state = self.state
        expected_labels = given_labels
        if call in self.planned:
            known = {name: state[name] for name in ("allowed", "never", "once", "standing", "now")}
            state = {**self.before, **known}
            expected_labels = dict.fromkeys(call["arguments"], state["context"])
        expected = reference.verdict(state, call, expected_labels)
        real = real_call(call)
        arguments, situation = self.plan.judged(
            real, {name: real_label(label) for name, label in given_labels.items()}, self.situation()
        )
        decision = decide(self.requests, self.grants, real, arguments, situation)
        assert decision.why
        assert told(decision) == expected, (decision, call, self.state)
        if isinstance(decision, Allow):
            if call in self.planned:
                self.planned.remove(call)
            self.plan = self.plan.without(real)
            if decision.approval == "once":
                self.state["once"] = [each for each in self.state["once"] if each != call]
                self.grants = self.grants.without_answer(real)


def told(decision) -> str:
    return f"ask {decision.rule}" if isinstance(decision, Ask) else type(decision).__name__.lower()
