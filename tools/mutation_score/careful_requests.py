"""Mutants of the careful fencer: what it makes of statuses, errors and log-ins, and what it does over IPMI."""

from __future__ import annotations

from typing import Final

from tools.mutation_score.literal_change import Mutant

CAREFUL: Final = "tests/bad_fencers/careful.py"
LOGINS: Final = "tests/bad_fencers/logins.py"
IPMI: Final = "tests/bad_fencers/honest_ipmi.py"

MUTANTS: Final = (
    Mutant(
        "conflict-is-for-good",
        CAREFUL,
        '        elif status in (400, 409):\n            self.trouble = f"conflict-other (HTTP {status})"',
        '        elif status in (400, 409):\n            self.give_up = f"conflict-other (HTTP {status})"',
        "a fence given up because the BMC was in a conflict for two seconds",
    ),
    Mutant(
        "server-error-is-for-good",
        CAREFUL,
        '            self.trouble = f"bad-response: HTTP {status}"\n',
        '            self.give_up = f"bad-response: HTTP {status}"\n',
        "a fence given up because of one HTTP 500",
    ),
    Mutant(
        "redirect-is-success",
        CAREFUL,
        "        if status < 300:\n",
        "        if status < 400:\n",
        "a redirected command taken for an accepted one",
    ),
    Mutant(
        "refused-tried-on",
        CAREFUL,
        "        elif status in (401, 403):\n",
        "        elif status in ():\n",
        "an account locked by refused commands",
    ),
    Mutant(
        "busy-not-awaited",
        CAREFUL,
        "self.next_send = time.monotonic() + self.asked_wait(self.last, 2.0)",
        "self.next_send = time.monotonic()",
        "a command sent before the time that the BMC named",
    ),
    Mutant(
        "no-if-match",
        CAREFUL,
        'self.etag = "" if self.etag else str(self.ask("GET", self.system).headers.get("ETag", ""))',
        'self.etag = ""',
        "no fence where a BMC wants If-Match",
    ),
    Mutant(
        "accepted-repeated",
        CAREFUL,
        'self.trouble, self.next_send = "timeout", math.inf',
        'self.trouble = "timeout"',
        "a command repeated while the first one is at work",
    ),
    Mutant(
        "failed-task-ignored",
        CAREFUL,
        'if ended in ("Exception", "Killed", "Cancelled", "Failed") or',
        "if False and",
        "a failed task reported as a time-out",
    ),
    Mutant(
        "lost-answer-raises",
        CAREFUL,
        "        except requests.ConnectionError:\n"
        '            self.trouble = "unreachable"\n'
        "            self.dropped()\n"
        "            return\n",
        '        except requests.ConnectionError:\n            raise Failed("unreachable: the answer was lost") from None\n',
        "a fence given up because the answer to the command was lost",
    ),
    Mutant(
        "lost-read-raises",
        CAREFUL,
        "            if not self.sent or str(error).startswith(FOR_GOOD):\n",
        "            if True:\n",
        "a fence given up because a read after the command was lost",
    ),
    Mutant(
        "lost-read-is-off",
        CAREFUL,
        "                raise\n            return False\n",
        "                raise\n            return True\n",
        "a host called off because its BMC does not answer",
    ),
    Mutant(
        "one-try",
        CAREFUL,
        "    tries = 3\n",
        "    tries = 1\n",
        "a fence given up because of one lost read",
    ),
    Mutant(
        "any-status-is-read",
        CAREFUL,
        "if answer.status_code == 200 and (told",
        "if (told",
        "an error body taken for a system",
    ),
    Mutant(
        "follows-anywhere",
        CAREFUL,
        "return urlsplit(url)[:2] == urlsplit(target)[:2]",
        "return True",
        "another BMC asked, and its host called off",
    ),
    Mutant(
        "reboot-fails-for-on",
        CAREFUL,
        "            self.stays_off(error)\n",
        "            raise\n",
        "a reboot called failed although the host was off, which is what it is for",
    ),
    Mutant(
        "reboot-skips-off",
        CAREFUL,
        "    def reboot(self) -> str | bool | None:\n        self.off()\n",
        "    def reboot(self) -> str | bool | None:\n        self.locate()\n",
        "a reboot that finds the host on and does nothing",
    ),
    Mutant(
        "keeps-session",
        LOGINS,
        "            self.http.delete(self.url(path), timeout=self.request_s)\n",
        "            pass\n",
        "a session table that fills up",
    ),
    Mutant(
        "no-request-time-out",
        LOGINS,
        "request_s: float | None = 2.0",
        "request_s: float | None = None",
        "an agent that hangs with its BMC",
    ),
    Mutant(
        "logs-in-again-and-again",
        LOGINS,
        "return self.log_ins < 2 and (",
        "return self.log_ins < 9 and (",
        "an account locked by refused log-ins",
    ),
    Mutant(
        "never-verifies",
        LOGINS,
        'return False if self.bmc["insecure"] else self.bmc["ca_file"] or True',
        "return False",
        "the password sent to whoever answers",
    ),
    Mutant(
        "action-of-any-host",
        LOGINS,
        'if not path.startswith(self.bmc["url"] + "/"):',
        "if False:",
        "the command and the password sent to another host",
    ),
    Mutant(
        "ipmi-code-ignored",
        IPMI,
        '        if answer["code"]:\n            self.refused(answer["code"])\n            return None\n',
        "",
        "the first byte of a refusal taken for the power state",
    ),
    Mutant(
        "ipmi-busy-is-for-good",
        IPMI,
        "            if code != BUSY:\n                break\n",
        "            break\n",
        "a fence that waits although the BMC only was busy",
    ),
    Mutant(
        "ipmi-command-repeated",
        IPMI,
        "raw_command(0x00, 0x02, (what,), tries=1)",
        "raw_command(0x00, 0x02, (what,), tries=8)",
        "a power command executed twice",
    ),
    Mutant(
        "ipmi-target-ignored",
        IPMI,
        '        if self.bmc["ipmi_target"]:\n            raise Failed("unsupported: no bridging to another controller")\n',
        "",
        "another host powered off, that of the BMC itself",
    ),
    Mutant(
        "ipmi-one-suite",
        IPMI,
        "suites: tuple[int, ...] = (3, 17)",
        "suites: tuple[int, ...] = (3,)",
        "no fence where a BMC has cipher suite 17 only",
    ),
    Mutant(
        "ipmi-rakp-unchecked",
        IPMI,
        "            if not session.rakp1():\n",
        "            session.rakp1()\n            if False:\n",
        "a BMC believed that does not know the password",
    ),
    Mutant(
        "ipmi-one-datagram",
        IPMI,
        "TRIES = 8",
        "TRIES = 1",
        "a fence given up because of one lost datagram",
    ),
    Mutant(
        "ipmi-session-kept",
        IPMI,
        "            session.exchange(lambda: session.wrap(request(6, 0x3C, session.managed)), lambda reply: reply, 3)\n",
        "            pass\n",
        "a session table that fills up",
    ),
    Mutant(
        "ipmi-refusal-not-repeated",
        IPMI,
        "            self.refused_at = time.monotonic()\n            self.refused(status)",
        "            self.refused(status)",
        "a fence given up because the BMC refused the command once",
    ),
)
