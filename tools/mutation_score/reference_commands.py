"""Mutants of the reference: which commands are sent and when, how it ends, and what the transports make of an answer."""

from __future__ import annotations

from typing import Final

from tools.mutation_score.literal_change import Mutant

PROCEDURE: Final = "fencer/procedure.py"
PLAN: Final = "fencer/command_plan.py"
RUN: Final = "fencer/run.py"
REDFISH: Final = "fencer/transport/redfish.py"
LOGINS: Final = "fencer/transport/refused_logins.py"

MUTANTS: Final = (
    Mutant(
        "procedure-chassis-not-a-voice",
        PROCEDURE,
        "        event = _judged(state, event)\n",
        "        pass\n",
        "what earlier reads have shown is not compared with later ones",
    ),
    Mutant(
        "procedure-proof-kept-over-on",
        PROCEDURE,
        "    state = replace(state, proof=())\n    if state.denied:",
        "    if state.denied:",
        "a host called off by an Off before and an Off after it was on",
    ),
    Mutant(
        "procedure-proof-kept-over-unknown",
        PROCEDURE,
        "return _pause(replace(state, proof=()), now)",
        "return _pause(state, now)",
        "a host called off by two Offs with PoweringOff between them",
    ),
    Mutant(
        "procedure-identity-not-required",
        PROCEDURE,
        "    if not state.identity_shown:\n"
        "        return _failed(state, failure_text.identity_not_shown(state.readings[-1]))\n"
        "    evidence",
        "    evidence",
        "a host called off whose BMC never showed that it is the one that was meant",
    ),
    Mutant(
        "procedure-command-without-identity",
        PROCEDURE,
        "    if not state.identity_shown:\n        if len(state.readings)",
        "    if False:\n        if len(state.readings)",
        "a power command sent to a machine that nobody has identified",
    ),
    Mutant(
        "procedure-no-commands-believed-once",
        PROCEDURE,
        "READS_WITHOUT_COMMANDS = 3",
        "READS_WITHOUT_COMMANDS = 1",
        "a fence given up because the BMC once listed no way to the goal",
    ),
    Mutant(
        "procedure-transition-not-awaited",
        PROCEDURE,
        "TRANSITION_WAIT_S = 3.0",
        "TRANSITION_WAIT_S = 0.0",
        "a second command sent to a host that is going down already",
    ),
    Mutant(
        "procedure-transition-for-ever",
        PROCEDURE,
        "TRANSITION_WAIT_S = 3.0",
        "TRANSITION_WAIT_S = 300.0",
        "no command sent to a host that hangs in PoweringOff",
    ),
    Mutant(
        "procedure-denied-never",
        PROCEDURE,
        "if may_end and (state.denials >= MAX_DENIALS or spent):",
        "if False:",
        "refused credentials sent until the deadline, which locks the account",
    ),
    Mutant(
        "procedure-other-way-not-tried",
        PROCEDURE,
        "if event.failure.cause is Cause.UNSUPPORTED and rest:",
        "if False:",
        "a fence given up because the BMC does not know the first command",
    ),
    Mutant(
        "procedure-failed-task-ignored",
        PROCEDURE,
        "            command_failure=event.failure,\n            task=None,",
        "            task=None,",
        "a failed task reported as a time-out",
    ),
    Mutant(
        "procedure-task-is-proof",
        PROCEDURE,
        "    elif event.ended:\n        state = replace(state, task=None)\n",
        "    elif event.ended:\n        return _goal_reached(replace(state, proof=state.readings[-1:]), now)\n",
        "a host called off because the task is completed",
    ),
    Mutant(
        "procedure-accepted-is-proof",
        PROCEDURE,
        "    return _pause(state, now, at_least=state.limits.poll + state.limits.power_wait)\n",
        "    return _goal_reached(replace(state, proof=state.readings[-1:]), now)\n",
        "a host called off because the BMC answered 204",
    ),
    Mutant(
        "procedure-conflict-is-proof",
        PROCEDURE,
        "        escalate_at=now + (event.retry_after or 0.0) if len(state.plan) > 1 else inf,\n"
        "    )\n"
        "    return _read(state, now)",
        "        escalate_at=now + (event.retry_after or 0.0) if len(state.plan) > 1 else inf,\n"
        "    )\n"
        "    return _goal_reached(replace(state, proof=state.readings[-1:]), now)",
        "a host called off because the BMC answered 409",
    ),
    Mutant(
        "procedure-on-claimed-at-once",
        PROCEDURE,
        "if state.action is Action.REBOOT and state.off_evidence is None:",
        "if False:",
        "a reboot that leaves the host off and says nothing",
    ),
    Mutant(
        "procedure-second-half-believes-itself",
        PROCEDURE,
        "        return _finish(replace(state, notes=(*state.notes, note)), FenceVerdict.CONFIRMED, state.off_evidence, None)\n",
        "        return _finish(state, FenceVerdict.UNKNOWN, None, failure)\n",
        "a reboot called failed although the host was off, which is what it is for",
    ),
    Mutant(
        "procedure-poll-races",
        PROCEDURE,
        "return _wait(state, max(min(left, at_most), at_least, MIN_READ_GAP_S))",
        "return _wait(state, MIN_READ_GAP_S)",
        "a BMC flooded with reads",
    ),
    Mutant(
        "procedure-retry-after-ignored",
        PROCEDURE,
        "at_least=min(event.retry_after or 0.0, MAX_RETRY_WAIT_S)",
        "at_least=0.0",
        "reads before the time that the BMC named",
    ),
    Mutant(
        "plan-graceful-alone",
        PLAN,
        "return (PowerCommand.FORCE_OFF,), only_allowed(graceful, button)",
        "return (graceful,), only_allowed(button)",
        "a hung host that never goes off",
    ),
    Mutant(
        "plan-list-ignored",
        PLAN,
        "return tuple(command for command in commands if command in allowed.commands)",
        "return commands",
        "a command sent that the BMC does not list",
    ),
    Mutant(
        "plan-button-blind",
        PLAN,
        "if command is PowerCommand.PUSH_POWER_BUTTON and state.goal and state.readings[-1].power is not "
        "OPPOSITE_POWER[state.goal]:",
        "if False:",
        "a host switched on by the button that should have switched it off",
    ),
    Mutant(
        "plan-no-limit",
        PLAN,
        "return now >= state.next_send and (endless or state.counted < state.limits.max_commands)",
        "return now >= state.next_send",
        "more power commands than the operator allows",
    ),
    Mutant(
        "plan-no-back-off",
        PLAN,
        "return now >= state.next_send and (endless",
        "return (endless",
        "commands repeated as fast as the BMC answers",
    ),
    Mutant(
        "plan-button-again",
        PLAN,
        "if state.plan[0] is PowerCommand.PUSH_POWER_BUTTON and failure_cause in MAY_HAVE_BEEN_DONE:",
        "if False:",
        "a host switched on again by a second push of the button",
    ),
    Mutant(
        "plan-retry-after-ignored",
        PLAN,
        "return now + max(retry_after or 0.0, shortest)",
        "return now + shortest",
        "a command sent before the time that the BMC named",
    ),
    Mutant(
        "plan-accepted-not-repeated",
        PLAN,
        "return now + PART_WITHOUT_EFFECT * state.limits.deadline",
        "return inf",
        "a fence lost because the BMC accepted one command and forgot it",
    ),
    Mutant(
        "plan-on-not-repeated",
        PLAN,
        "return now + ON_WITHOUT_EFFECT_POLLS * state.limits.poll",
        "return inf",
        "a host that stays off after a reboot because one On was forgotten",
    ),
    Mutant(
        "run-deadline-unwatched",
        RUN,
        "if left < min(MIN_CONFIRM_S if confirming else MIN_CALL_S, limits.deadline / 10):",
        "if False:",
        "an agent that the cluster has to kill",
    ),
    Mutant(
        "run-call-takes-all",
        RUN,
        "timeout = min(limits.call, left)",
        "timeout = left",
        "the whole time given to one request that hangs",
    ),
    Mutant(
        "run-lost-read-is-final",
        RUN,
        "failed.retry_after, final=failed.final,",
        "failed.retry_after, final=True,",
        "a fence given up after one lost read",
    ),
    Mutant(
        "redfish-chassis-not-asked",
        REDFISH,
        "if self._limits.chassis_check is ChassisCheck.IGNORE or not (is_off or self._chassis is None):",
        "if True:",
        "a host called off that its System says off 4 to 15 s too early",
    ),
    Mutant(
        "redfish-sibling-accepted",
        REDFISH,
        "if self._path and is_of_sibling(path, self._path):",
        "if False:",
        "another host powered off, by an action that leads to it",
    ),
    Mutant(
        "logins-three-refusals",
        LOGINS,
        "MAX_REFUSED_LOGINS = 2",
        "MAX_REFUSED_LOGINS = 3",
        "an account locked by the third refused log-in",
    ),
    Mutant(
        "logins-no-gap",
        LOGINS,
        "REFUSED_LOGIN_GAP_S = 2.0",
        "REFUSED_LOGIN_GAP_S = 0.0",
        "refused log-ins that follow at once",
    ),
)
