// A shared object whose ops were built for another version of the library.
extern "C" __attribute__((visibility("default"))) const char* millrace_ops_abi() { return "millrace-ops-0"; }
extern "C" __attribute__((visibility("default"))) void millrace_register_ops(void*) { __builtin_trap(); }
