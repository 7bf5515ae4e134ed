"""Run one module of Python's tests: a line a test, sorted, and the counts."""

import contextlib
import io
import os
import re
import sys
import unittest

os.environ["LC_ALL"] = "C.UTF-8"

# What Quire does not have, and the tests that need it, by their ends or classes.
LEFTOUT = {
    "TCP": r"""test_os\.TestSendfile  TestCloseFds  TestTimeouts
        TestManagerRestart  TestRemoteManager  test_wait_socket
        test_wait_socket_slow  TestPicklingConnections\.test_pickling""",
    "attributes of files": r"test_os\.ExtendedAttributeTests",
}


def missing(test):
    """What a test needs that Quire does not have, or None."""
    for what, names in LEFTOUT.items():
        for name in names.split():
            if re.search(name + r"(\.\w+)?$", test.id()):
                return what
    return None


class Result(unittest.TextTestResult):
    """Names and outcomes; what failed is printed whole."""

    def __init__(self, stream, descriptions, verbosity):
        super().__init__(io.StringIO(), descriptions, verbosity)
        self.lines = []

    def startTest(self, test):
        super().startTest(test)
        if "PROGRESS" in os.environ:
            print(test.id(), file=sys.__stdout__, flush=True)

    def note(self, test, what):
        self.lines.append("%s: %s" % (test.id(), what))

    def addSuccess(self, test):
        self.note(test, "ok")

    def addSkip(self, test, reason):
        self.note(test, "skipped, " + reason)

    def addFailure(self, test, err):
        self.note(test, "FAILED\n" + self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err:
            self.addFailure(subtest, err)

    addError = addFailure

    def addExpectedFailure(self, test, err):
        self.note(test, "fails as expected")


def chosen(suite, result):
    """The suite without what is left out, which is noted."""
    new = unittest.TestSuite()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            new.addTest(chosen(test, result))
        elif missing(test):
            result.note(test, "left out, needs " + missing(test))
        else:
            new.addTest(test)
    return new


if __name__ == "__main__":
    os.chdir("/tmp")
    suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
    listeners = sys.modules.get("multiprocessing.connection")
    if listeners:  # those of TCP are left out of the tests that try each
        listeners.families = ["AF_UNIX"]
    result = Result(None, None, 0)
    with contextlib.redirect_stdout(io.StringIO()):
        chosen(suite, result)(result)
    for line in sorted(result.lines):
        print(re.sub(r"0x[0-9a-f]{6,}", "ADDR", line))
    print(result.testsRun, "tests")
