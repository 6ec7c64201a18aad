"""The watchdog timer commands (IPMI 2.0, chapter 27). The core runs the timer, which acts on the host when it expires.

The command table calls the handlers, in the emulator's one thread. Countdowns on the wire are in units of 100 ms.
"""

from __future__ import annotations

from emulator.core.bmc.watchdog import PreTimeout, TimerAction, TimerUse, WatchdogSetup
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall

DONT_LOG, DONT_STOP, RUNNING = 0x80, 0x40, 0x40
TICKS_PER_SECOND = 10
NEVER_SET = bytes((0x01, 0x00, 0x00, 0x00, 0x00, 0x00))


def set_timer(call: IpmiCall) -> bytes:
    use, actions, pre_s, flags = call.data[:4]
    try:
        setup = WatchdogSetup(
            use=TimerUse(use & 0x07),
            action=TimerAction(actions & 0x07),
            pre=PreTimeout(actions >> 4 & 0x07),
            pre_s=float(pre_s),
            countdown_s=int.from_bytes(call.data[4:6], "little") / TICKS_PER_SECOND,
            dont_log=bool(use & DONT_LOG),
            dont_stop=bool(use & DONT_STOP),
        )
    except ValueError:
        raise CompletionError(CompletionCode.INVALID_FIELD) from None
    clear = frozenset(timer for timer in TimerUse if flags >> timer & 1)
    call.view.watchdog.set(setup, clear=clear, cause=call.cause)
    return b""


def reset_timer(call: IpmiCall) -> bytes:
    call.view.watchdog.reset(call.cause)
    return b""


def get_timer(call: IpmiCall) -> bytes:
    state = call.view.watchdog.state()
    if state.setup is None:
        return NEVER_SET + bytes(2)
    setup = state.setup
    use = setup.use | (DONT_LOG if setup.dont_log else 0) | (RUNNING if state.running else 0)
    expired = sum(1 << timer for timer in state.expired)
    initial, left = (round(s * TICKS_PER_SECOND).to_bytes(2, "little") for s in (setup.countdown_s, state.left_s))
    return bytes((use, setup.action | setup.pre << 4, int(setup.pre_s), expired)) + initial + left
