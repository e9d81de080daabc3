#!/usr/bin/env python3
"""Runs the scripts that computed the tests' expected values and looks for each number they print in the tests.

    golden_test.py INTEROP_PYTHON SHARED

Exit code 77 (skipped) without the interop Python; a script that needs real frames is left out without SHARED.
"""

import pathlib
import re
import subprocess
import sys
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
SKIPPED = 77
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
HEX = re.compile(r"\b[0-9a-f]{80,}\b")
INTEROP_PYTHON = SHARED = ""


def numbers_in(text):
    return {float(number) for number in NUMBER.findall(re.sub(r"(?<=\d)[FfuUlL']+", "", text))}


class Golden(unittest.TestCase):
    def printed(self, script, *arguments):
        result = subprocess.run([INTEROP_PYTHON, TESTS / script, *arguments], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.strip(), "the script printed nothing")
        return result.stdout

    def expect_in(self, output, *tests):
        known = set()
        for test in tests:
            known |= numbers_in((TESTS / test).read_text())
        missing = sorted(numbers_in(output) - known)
        self.assertEqual(missing, [], f"printed, but not in {tests}")

    def need_frames(self):
        if not (pathlib.Path(SHARED) / "kitti_mini").is_dir():
            self.skipTest("kitti_mini is absent")

    def test_losses(self):
        self.expect_in(self.printed("loss/loss_golden.py"), "loss/depth_loss_test.cpp", "loss/other_heads_loss_test.cpp")

    def test_precision_of_codecs(self):
        self.expect_in(self.printed("codec/precision_golden.py"), "codec/precision_table_test.cpp")

    def test_protocols(self):
        self.need_frames()
        self.expect_in(self.printed("metrics/protocol_golden.py", SHARED + "/kitti_mini"), "metrics/protocol_test.cpp")

    def test_data(self):
        self.need_frames()
        self.expect_in(self.printed("data/data_golden.py", SHARED), *[
            f"data/{name}_test.cpp" for name in ("augmentation", "resize", "velodyne_depth")])

    def test_kinds_of_pictures(self):
        test = re.sub(r'"\s*"', "", (TESTS / "io/picture_kinds_test.cpp").read_text())
        pictures = HEX.findall(self.printed("io/picture_kinds.py"))
        self.assertEqual(len(pictures), 7)
        for picture in pictures:
            self.assertIn(picture, test)


if __name__ == "__main__":
    INTEROP_PYTHON, SHARED = sys.argv[1:3]
    if not INTEROP_PYTHON:
        print("skipped: needs the Python that tools/setup --interop installs")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])
