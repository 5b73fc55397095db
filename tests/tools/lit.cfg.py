# How lit runs the .test files: folders come from the command line (see
# CMakeLists.txt). %graph turns a GraphDef as text, on its input, into bytes.
import os
import shutil

import lit.formats

config.name = "millrace-tools"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".test"]
config.test_source_root = lit_config.params.get("source")
config.test_exec_root = lit_config.params.get("scratch")
config.environment["PATH"] = lit_config.params.get("tools")
config.excludes = ["Inputs"]
config.substitutions += [
    ("%graph", "{0} -I {1} --encode=millrace.wire.GraphDef millrace/proto/schema/graph.proto".format(
        lit_config.params.get("protoc"), lit_config.params.get("protos"))),
    ("%samples", lit_config.params.get("samples")),
    ("%bench", lit_config.params.get("bench")),
    ("%build", lit_config.params.get("build")),
    ("%libtensorflow", lit_config.params.get("libtensorflow")),
]

for shell in "zsh", "fish":
    if shutil.which(shell, path=config.environment["PATH"]):
        config.available_features.add(shell)

# For progress.test and completion-zsh.test.
try:
    for end in os.openpty():
        os.close(end)
    config.available_features.add("terminal")
except OSError as error:
    lit_config.note(f"SKIPPED: the system gives no pseudo-terminal: {error}")
