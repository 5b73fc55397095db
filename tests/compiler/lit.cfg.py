# How lit runs the .mlir files: substitutions and the tools' folder come from the
# command line (see CMakeLists.txt).
import lit.formats

config.name = "millrace-compiler"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = lit_config.params.get("source")
config.test_exec_root = lit_config.params.get("scratch")
config.environment["PATH"] = lit_config.params.get("tools")
config.excludes = ["Inputs"]
