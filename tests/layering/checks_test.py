#!/usr/bin/env python3
"""Plants what the checks of tools/check are there to find.  checks_test.py CHECK_DIR"""
import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv.pop(1))
import comments
import examples
import isa_hygiene
import layering


def problems(files, edges=None):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        return layering.check(root, edges)


class Includes(unittest.TestCase):
    def include(self, path, target, *others):
        return problems({path: f"// A file.\n#include {target}\n", **{o: "" for o in others}})

    def test_left_is_fine(self):
        self.assertEqual(self.include("ops/math/a.cc", '"millrace/devices/api/b.h"'), [])
        self.assertEqual(self.include("tests/ops/a.cc", '"millrace/runtime/executor/b.h"'), [])
        self.assertEqual(self.include("runtime/session/a.cc", '"millrace/compiler/api/b.h"'), [])
        self.assertEqual(self.include("compiler/passes/A.cpp", '"mlir/IR/Builders.h"'), [])
        self.assertEqual(self.include("ops/math/a.cc", "<vector>"), [])

    def test_right_is_found_with_file_and_line(self):
        found = self.include("proto/value/a.cc", '"millrace/devices/api/b.h"')
        self.assertEqual(found, ["proto/value/a.cc:2: includes millrace/devices/api/b.h: proto may not see devices"])
        for path, target in [("ops/a.cc", "compiler/api/b.h"), ("compiler/A.cpp", "runtime/plan/b.h"),
                             ("runtime/a.cc", "tools/b.h"), ("samples/a.cc", "tests/test.h")]:
            self.assertEqual(len(self.include(path, f"<millrace/{target}>")), 1, path)

    def test_the_compiler_shows_its_api_to_session_alone(self):
        self.assertEqual(len(self.include("runtime/executor/a.cc", '"millrace/compiler/api/b.h"')), 1)
        self.assertEqual(len(self.include("runtime/session/a.cc", '"millrace/compiler/passes/B.h"')), 1)
        self.assertEqual(len(self.include("tools/graphc/a.cc", '"millrace/compiler/pipeline/B.h"')), 1)

    def test_foreign_headers_stay_in_their_rooms(self):
        self.assertEqual(len(self.include("ops/a.cc", '"mlir/IR/Builders.h"')), 1)
        self.assertEqual(len(self.include("runtime/a.cc", "<google/protobuf/message.h>")), 1)
        self.assertEqual(len(self.include("devices/api/a.h", "<cuda_runtime.h>")), 1)

    def test_short_spellings_are_found(self):
        self.assertEqual(len(self.include("ops/math/a.cc", '"b.h"', "ops/math/b.h")), 1)
        self.assertEqual(len(self.include("ops/math/a.cc", '"ops/math/b.h"', "ops/math/b.h")), 1)


class Tree(unittest.TestCase):
    def test_paths_of_a_machine_are_found(self):
        path = "/" + "home/somebody/file"
        self.assertEqual(len(problems({"tools/a.sh": f"cat {path}\n"})), 1)
        self.assertEqual(problems({"tools/a.sh": "cat /usr/lib/file; cat frame" + path[1:] + "\n"}), [])

    def test_strangers_at_the_top_are_found(self):
        self.assertEqual(len(problems({"stranger/a.txt": ""})), 1)
        self.assertEqual(problems({".clang-tidy": "", "README.md": ""}), [])


class Links(unittest.TestCase):
    def test_left_is_fine(self):
        self.assertEqual(layering.check_links(["a\tops\tb;absl::c\n", "b\tproto\t\n"]), [])

    def test_right_is_found(self):
        self.assertEqual(len(layering.check_links(["a\tproto\t$<LINK_ONLY:b>\n", "b\tdevices/cpu\t\n"])), 1)

    def test_the_runtime_without_compiler_is_checked_through_other_targets(self):
        edges = ["millrace_runtime\truntime\tmiddle\n", "middle\truntime/session\tmillrace_compiler\n",
                 "millrace_compiler\tcompiler\t\n", "millrace\truntime\tmillrace_compiler\n"]
        self.assertEqual(layering.check_links(edges),
                         ["target millrace_runtime links the compiler: millrace_runtime > middle > millrace_compiler"])


class InstructionSets(unittest.TestCase):
    def test_shared_weak_symbols_are_found(self):
        nm = ("0000000000000000 W std::vector<int>::push_back(int)\n"
              "0000000000000000 W millrace::avx512::Add<float>::Run()\n"
              "0000000000000000 T millrace::Kernel()\n"
              "                 w __gmon_start__\n"
              "                 U memcpy\n"
              "0000000000000000 V DW.ref.__gxx_personality_v0\n")
        self.assertEqual(isa_hygiene.shared_symbols(nm), ["std::vector<int>::push_back(int)"])


class Comments(unittest.TestCase):
    def uncommented(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.h"
            path.write_text(text)
            return [name for _, name in comments.undocumented(path)]

    def test_functions_without_a_comment_are_found(self):
        self.assertEqual(self.uncommented("namespace a {\n\nStatus Load(int x);\n\n// Here.\nStatus Save(int x);\n}\n"), ["Load"])
        self.assertEqual(self.uncommented("// A door.\nclass Door {\n public:\n  void Open(\n      int key);\n\n  // Again.\n  void Shut();\n};\n"),
                         ["Open"])
        self.assertEqual(self.uncommented('extern "C" {\nEXPORT int TF_Run(void);\n}\n'), ["TF_Run"])

    def test_what_needs_none_is_left_alone(self):
        self.assertEqual(self.uncommented("// Both.\nint One();\nint Two();\nint Three();  // the third\n"), [])
        self.assertEqual(self.uncommented("class Door {\n public:\n  explicit Door(int key);\n  bool open() const;\n  Text ToText() const;\n"
                                          "  void Run(int a,\n           int b) override;\n\n private:\n  void Slam();\n};\n"), [])


class Examples(unittest.TestCase):
    def test_a_line_that_no_program_has_is_found(self):
        header = examples.of_header("// A door.\n//\n//   Door door(3);  // the third\n//   door.Open();\nclass Door;\n")
        self.assertEqual([n for n, _ in header], [3, 4])
        self.assertEqual(examples.missing(header, examples.bare("Door door( 3 );\n door.Open();")), [])
        self.assertEqual(examples.missing(header, examples.bare("Door door(4); door.Open();")), header[:1])

    def test_blocks_of_readmes_are_examples_and_what_is_left_out_is_left_alone(self):
        readme = examples.of_readme("Door door;\n```sh\nls\n```\n```cpp\nDoor door;\ndoor.Open(...);\n}\n```\n")
        self.assertEqual([n for n, _ in readme], [6, 7, 8])
        self.assertEqual(examples.missing(readme, ""), readme[:1])


if __name__ == "__main__":
    unittest.main()
