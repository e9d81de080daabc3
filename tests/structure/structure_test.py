#!/usr/bin/env python3
"""The house keeps its plan: rooms see only rooms above them, three trees mirror each other, files stay short."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_LINES = 400
CODE_FOLDERS = ["bench", "include", "src", "tests", "tools"]
TENSOR_HEADER = re.compile(r'#include\s*[<"](torch|ATen|c10)/')
ROOM_HEADER = re.compile(r'#include\s*"dualdepth/(\w+)/')
# Assembled from two halves, so that this file does not hold the marks it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(a + b for a, b in [("TO", "DO"), ("FIX", "ME"), ("X", "XX")]) + r")\b")


def read_rooms():
    """Rooms in their order: name -> (rooms it declares, whether it has tensors)."""
    text = (ROOT / "src/CMakeLists.txt").read_text()
    rooms = {}
    for name, rest in re.findall(r"^dualdepth_room\((\w+)([^)]*)\)", text, re.MULTILINE):
        words = rest.split()
        depends = []
        if "DEPENDS" in words:
            for word in words[words.index("DEPENDS") + 1:]:
                if word == "LINK":
                    break
                depends.append(word)
        rooms[name] = (depends, "TORCH" in words)
    return rooms


def code_files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".h", ".cpp"}:
                yield path


def lines_that_match(pattern, paths):
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


class Structure(unittest.TestCase):
    rooms = read_rooms()

    def test_rooms_are_read(self):
        self.assertEqual(list(self.rooms)[:3], ["base", "config", "io"])

    def test_a_room_declares_only_rooms_above_it(self):
        above = []
        for name, (depends, _) in self.rooms.items():
            self.assertLessEqual(set(depends), set(above), f"src/CMakeLists.txt: {name}")
            above.append(name)

    def test_a_room_declares_the_rooms_that_it_includes_and_no_others(self):
        for name, (declared, _) in self.rooms.items():
            included = set()
            for path in code_files(f"include/dualdepth/{name}", f"src/{name}"):
                included |= set(ROOM_HEADER.findall(path.read_text()))
            self.assertEqual(included - {name}, set(declared), f"src/CMakeLists.txt: {name}")

    def test_rooms_without_tensors_include_no_tensor_header(self):
        for name, (_, has_tensors) in self.rooms.items():
            if not has_tensors:
                files = code_files(f"include/dualdepth/{name}", f"src/{name}", f"tests/{name}")
                self.assertEqual(lines_that_match(TENSOR_HEADER, files), [])

    def test_trees_mirror_each_other(self):
        def folders(tree):
            return {path.name for path in (ROOT / tree).iterdir() if any(code_files(path))}

        rooms = set(self.rooms)
        self.assertEqual(folders("include/dualdepth"), rooms)
        self.assertEqual(folders("src"), rooms)
        self.assertEqual(folders("tests") - {"testing", "package", "cli", "interop"}, rooms)
        for name in rooms:
            self.assertTrue(list((ROOT / "tests" / name).glob("*_test.cpp")), f"tests/{name} has no test")

    def test_a_source_file_belongs_to_a_header_of_its_room(self):
        for name in self.rooms:
            for path in code_files(f"src/{name}"):
                includes = re.findall(r'#include\s*"([^"]+)"', path.read_text())
                own = [header for header in includes
                       if header.startswith(f"dualdepth/{name}/") or (path.parent / header).exists()]
                self.assertTrue(own or path.suffix == ".h", path.relative_to(ROOT))

    def test_files_stay_short(self):
        long = {str(path.relative_to(ROOT)): count for path in code_files(*CODE_FOLDERS)
                if (count := len(path.read_text().splitlines())) > MAX_LINES}
        self.assertEqual(long, {})

    def test_nothing_is_marked_unfinished(self):
        files = list(code_files(*CODE_FOLDERS))
        files += [ROOT / "CMakeLists.txt", *(ROOT / "cmake").glob("*.cmake"), *(ROOT / "tools").glob("[a-z]*")]
        files = [path for path in files if path.is_file()]
        self.assertEqual(lines_that_match(UNFINISHED, files), [])


if __name__ == "__main__":
    unittest.main()
