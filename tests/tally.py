"""Runs a command that runs tests by cargo, passes on what it says, and sums up at the end: what was left out
and why, and how many tests passed, failed and were skipped.

usage: tally.py COMMAND...
"""

import re
import subprocess
import sys

RESULT = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
STARTED = re.compile(r"^ +(Running|Doc-tests) ")
IGNORED = re.compile(r"^test (\S+) \.\.\. ignored(?:, (.*))?$")
SKIPPED = re.compile(r"SKIPPED: (.*)")


class Tally:
    """What the lines of `cargo test` add up to."""

    def __init__(self):
        self.passed = self.failed = self.started = self.ended = 0
        self.left_out = []

    def read(self, line):
        if result := RESULT.match(line):
            passed, failed, _ = map(int, result.groups())
            self.passed += passed
            self.failed += failed
            self.ended += 1
        elif STARTED.match(line):
            self.started += 1
        elif ignored := IGNORED.match(line):
            name, why = ignored.groups()
            self.left_out.append(f"{name}: {why or 'on demand'} (make check-long)")
        elif skipped := SKIPPED.search(line):
            self.left_out.append(skipped.group(1).rstrip())

    def summary(self, succeeded):
        """The closing lines. A test program that did not get to its result counts as a failed test."""
        if self.left_out:
            yield "Left out:"
            for why in sorted(set(self.left_out)):
                times = self.left_out.count(why)
                yield f"    {why}" + (f" ({times} times)" if times > 1 else "")
        failed = self.failed + self.started - self.ended or int(not succeeded)
        yield f"{self.passed} passed, {failed} failed, {len(self.left_out)} skipped"


def main(command):
    tally = Tally()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as running:
        for line in running.stdout:
            print(line, end="", flush=True)
            tally.read(line)
    print(*tally.summary(running.returncode == 0), sep="\n", flush=True)
    if running.returncode == 0 and not tally.passed:
        sys.exit("tally.py: no test ran: none has this name, or each is left out")
    # A signal's number is negative here.
    return running.returncode if running.returncode >= 0 else 128 - running.returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
