"""Mutants of the reference: what counts as Off, who is asked, which machine it is, and what a failed request means."""

from __future__ import annotations

from typing import Final

from tools.mutation_score.literal_change import Mutant

PROOF: Final = "fencer/proof.py"
WITNESSES: Final = "fencer/witnesses.py"
IDENTITY: Final = "fencer/identity.py"
OUTCOME: Final = "fencer/outcome.py"
STATE: Final = "fencer/procedure_state.py"

MUTANTS: Final = (
    Mutant(
        "proof-one-read",
        PROOF,
        "return 3 if shaken else 2",
        "return 3 if shaken else 1",
        "a host called off after one read, while the BMC shows Off for a moment only",
    ),
    Mutant(
        "proof-two-after-trouble",
        PROOF,
        "return 3 if shaken else 2",
        "return 2",
        "a host called off after two reads of a BMC that has just lost requests",
    ),
    Mutant(
        "proof-no-longer-span",
        PROOF,
        "return stable_for * (2 if shaken else 1)",
        "return stable_for",
        "a host called off in half the time after a trouble of the BMC",
    ),
    Mutant(
        "proof-span-ignored",
        PROOF,
        " and last >= first + span_needed(stable_for, shaken)",
        "",
        "a host called off after two reads that follow at once, without the settle time",
    ),
    Mutant(
        "proof-busy-no-trouble",
        PROOF,
        "Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BUSY",
        "Cause.TIMEOUT, Cause.UNREACHABLE",
        "the short proof at a BMC that has said it is busy",
    ),
    Mutant(
        "proof-other-machine-accepted",
        PROOF,
        "if changed := identity.other(pinned, reading.shown):",
        "if changed := identity.other((), reading.shown):",
        "another machine's Off taken for the host's, when its address moves during the fence",
    ),
    Mutant(
        "witness-word-ignored",
        WITNESSES,
        'witness.state is WitnessState.SAYS and witness.word != "Off"',
        "witness.state is WitnessState.SAYS and witness.word is None",
        "a host called off while its chassis says On",
    ),
    Mutant(
        "witness-unreadable-agrees",
        WITNESSES,
        "witness.state is WitnessState.UNKNOWN or (witness.state",
        "(witness.state",
        "a host called off although its chassis can no longer be read",
    ),
    Mutant(
        "witness-silence-agrees",
        WITNESSES,
        "if witness.uri in memory.spoken and witness.state is not WitnessState.SAYS:",
        "if False:",
        "a host called off although its chassis, which said On, has no PowerState any more",
    ),
    Mutant(
        "witness-vanished-agrees",
        WITNESSES,
        "for uri in sorted(memory.known - asked.keys()):",
        "for uri in ():",
        "a host called off although the link to its chassis has vanished",
    ),
    Mutant(
        "witness-first-alone",
        WITNESSES,
        "asked = {witness.uri: witness for witness in witnesses}",
        "asked = {witness.uri: witness for witness in [*witnesses][:1]}",
        "only the first of several chassis heard",
    ),
    Mutant(
        "witness-newcomer-kept",
        WITNESSES,
        "return any(witness.state is WitnessState.SAYS and witness.uri not in memory.spoken for witness in reading.witnesses)",
        "return False",
        "a proof in whose first read a chassis was not heard",
    ),
    Mutant(
        "identity-case-matters",
        IDENTITY,
        "folded = text.strip().casefold()",
        "folded = text.strip()",
        "a fence refused because a BMC writes its UUID in capitals",
    ),
    Mutant(
        "identity-zeros-count",
        IDENTITY,
        'return known in PLACEHOLDERS or not known.strip("0") or (is_uuid(text) and not known.strip("f"))',
        "return known in PLACEHOLDERS",
        "a fence refused because a BMC shows zeros for a UUID while its host is off",
    ),
    Mutant(
        "identity-last-value-pinned",
        IDENTITY,
        "return (*pinned, *((name, value) for name, value in shown if name not in have))",
        "return tuple(shown)",
        "another machine accepted in two steps, each of which hides what differs",
    ),
    Mutant(
        "word-powering-off-is-off",
        OUTCOME,
        'return Power.OFF if word == "Off" and chassis_word',
        'return Power.OFF if word in ("Off", "PoweringOff") and chassis_word',
        "a host called off while it is still going down",
    ),
    Mutant(
        "word-case-ignored",
        OUTCOME,
        'if word == "On":',
        'if word in ("On", "PoweringOn"):',
        "a host called on that is still starting",
    ),
    Mutant(
        "word-anything-else-is-off",
        OUTCOME,
        'return Power.OFF if word == "Off" and chassis_word in (None, "Off") else Power.UNKNOWN',
        'return Power.OFF if chassis_word in (None, "Off") else Power.UNKNOWN',
        "null and Unknown taken for Off",
    ),
    Mutant(
        "state-conflict-denied",
        STATE,
        "Cause.CONFIG, Cause.UNSUPPORTED, Cause.NOT_FOUND,\n",
        "Cause.CONFIG, Cause.UNSUPPORTED, Cause.NOT_FOUND, Cause.CONFLICT_OTHER,\n",
        "a fence given up because the BMC was in a conflict for two seconds",
    ),
    Mutant(
        "state-busy-counts",
        STATE,
        "free = is_busy and state.limits.max_commands > 1",
        "free = False",
        "a fence given up because the BMC was busy a few times",
    ),
    Mutant(
        "state-missed-read-voids",
        STATE,
        "proof=() if contradicts else state.proof,",
        "proof=(),",
        "a fence that takes until the deadline at a BMC that loses one read in three",
    ),
    Mutant(
        "state-other-answer-kept",
        STATE,
        "proof=() if contradicts else state.proof,",
        "proof=state.proof,",
        "a proof that goes on over an answer about another system",
    ),
    Mutant(
        "state-trouble-forgotten",
        STATE,
        "shaken=True,",
        "shaken=state.shaken,",
        "the short proof at a BMC that has lost a read",
    ),
    Mutant(
        "state-repeat-no-trouble",
        STATE,
        "shaken=state.shaken or reading.repeated > 0,",
        "shaken=state.shaken,",
        "the short proof at a BMC that has lost a request of a read",
    ),
    Mutant(
        "state-unreachable-endless",
        STATE,
        "Cause.UNREACHABLE: Patience(3, 1 / 3),",
        "Cause.UNREACHABLE: ENDLESS,",
        "a wrong address reported at the deadline instead of early",
    ),
    Mutant(
        "state-one-denial",
        STATE,
        "MAX_DENIALS = 2",
        "MAX_DENIALS = 1",
        "a fence given up after one refusal that would have passed",
    ),
)
