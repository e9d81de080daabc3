#!/usr/bin/env python3
"""tools/test_results counts single tests and notices those that skipped, ended early or vanished."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools/test_results"
loader = importlib.machinery.SourceFileLoader("test_results", str(TOOL))
test_results = importlib.util.module_from_spec(importlib.util.spec_from_loader("test_results", loader))
loader.exec_module(test_results)

# As CMake 3.25 and GoogleTest 1.12 write them.
CTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux" tests="4">
 <testcase name="io.Npy" classname="io.Npy" time="1" status="run"><system-out>...</system-out></testcase>
 <testcase name="io.Crash" classname="io.Crash" time="1" status="fail"><failure message="SEGFAULT"/></testcase>
 <testcase name="io.SetUp" classname="io.SetUp" time="1" status="fail"><failure message=""/></testcase>
 <testcase name="structure" classname="structure" time="1" status="run"/>
</testsuite>"""
NPY = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3"><testsuite name="Bad/Npy">
 <testcase name="IsRead/0" value_param="\\x8f\x01" status="run" result="completed" classname="Bad/Npy"/>
 <testcase name="NeedsFrames" status="run" result="skipped" classname="Npy">
  <skipped message="npy_test.cpp:3&#x0A;frames is absent"><![CDATA[npy_test.cpp:3]]></skipped></testcase>
 <testcase name="IsWritten" status="run" result="completed" classname="Npy"><failure message="wrong"/></testcase>
 <testcase name="Filtered" status="notrun" result="suppressed" classname="Npy"/>
</testsuite></testsuites>"""
SET_UP = """<testsuites><testsuite name="SetUp"><testcase name="Runs" status="run" classname="SetUp"/></testsuite>
</testsuites>"""


class TestResults(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file, text in (("ctest", CTEST), ("io.Npy", NPY), ("io.SetUp", SET_UP)):
                (folder / f"{file}.xml").write_bytes(text.encode("latin-1"))
            self.tests = test_results.read_results(folder)

    def breaches(self, *lines, shared=True):
        return test_results.breaches(self.tests, lines, {"always": True, "shared": shared})

    def test_counts_single_tests_and_entries_that_are_one(self):
        kinds = {name: kind for name, (kind, _) in self.tests.items()}
        self.assertEqual(kinds, {"io.Bad/Npy.IsRead/0": "passed", "io.Npy.NeedsFrames": "skipped",
                                 "io.Npy.IsWritten": "failed", "io.Crash": "failed", "io.SetUp.Runs": "passed",
                                 "io.SetUp": "failed", "structure": "passed"})

    def test_a_skip_needs_an_excuse(self):
        self.assertEqual(self.breaches(), ["must not skip here: io.Npy.NeedsFrames: frames is absent"])
        self.assertEqual(self.breaches(("shared", "io.Npy.Needs*"), shared=False), [])
        self.assertEqual(len(self.breaches(("shared", "io.Npy.Needs*"))), 2)

    def test_a_test_that_vanished_is_noticed(self):
        excuse = ("shared", "io.Npy.NeedsFrames")
        self.assertEqual(self.breaches(excuse, ("always", "io.Bad/Npy.*"), shared=False), [])
        self.assertEqual(self.breaches(excuse, ("always", "io.Gone.*"), shared=False), ["did not run: io.Gone.*"])


if __name__ == "__main__":
    unittest.main()
