millrace_ops_family(user user/callback_ops.cc user/load_ops.cc user/user_ops_hash.cc)
# Catches what callbacks throw.
target_sources(millrace_ops PRIVATE ${PROJECT_SOURCE_DIR}/ops/user/callback.cc)
