// MetaGraphDef and SavedModel as plain values.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "millrace/proto/value/graph_def.h"

namespace millrace {

// A tensor of the graph as a signature names it.
struct TensorInfo {
  std::string name;  // "x:0"; empty where `unread_fields` has a sparse or composite one
  DType dtype = DType::kInvalid;
  bool has_shape = false;
  ShapeValue shape;
  std::string unread_fields;
  friend bool operator==(const TensorInfo&, const TensorInfo&) = default;
};

struct SignatureDef {
  std::map<std::string, TensorInfo> inputs;
  std::map<std::string, TensorInfo> outputs;
  std::string method_name;
  std::map<std::string, TensorValue> defaults;
  friend bool operator==(const SignatureDef&, const SignatureDef&) = default;
};

// Things of one kind that belong to a graph.
struct CollectionDef {
  struct NodeList {
    std::vector<std::string> values;
    friend bool operator==(const NodeList&, const NodeList&) = default;
  };
  // Messages of a type that the collection's name says (VariableDef ...).
  struct BytesList {
    std::vector<std::string> values;
    friend bool operator==(const BytesList&, const BytesList&) = default;
  };
  // Wire bytes of google.protobuf.Any.
  struct AnyList {
    std::vector<std::string> values;
    friend bool operator==(const AnyList&, const AnyList&) = default;
  };
  std::variant<std::monostate, NodeList, BytesList, std::vector<int64_t>, std::vector<float>, AnyList> kind;
  friend bool operator==(const CollectionDef&, const CollectionDef&) = default;
};

// Which ops of a graph write and read checkpoints.
struct SaverDef {
  std::string filename_tensor_name, save_tensor_name, restore_op_name;
  int32_t max_to_keep = 0;
  bool sharded = false;
  float keep_checkpoint_every_n_hours = 0;
  int32_t version = 0;  // 0 legacy, 1, 2
  friend bool operator==(const SaverDef&, const SaverDef&) = default;
};

struct MetaInfo {
  std::string meta_graph_version;
  bool has_stripped_op_list = false;
  std::vector<OpDefValue> stripped_op_list;
  bool has_any_info = false;
  std::string any_info;  // wire bytes
  std::vector<std::string> tags;
  std::string tensorflow_version, tensorflow_git_version;
  bool stripped_default_attrs = false;
  std::map<std::string, std::string> function_aliases;
  std::string unread_fields;
  friend bool operator==(const MetaInfo&, const MetaInfo&) = default;
};

struct AssetFileDef {
  bool has_tensor_info = false;
  TensorInfo tensor_info;
  std::string filename;
  friend bool operator==(const AssetFileDef&, const AssetFileDef&) = default;
};

struct MetaGraphDef {
  bool has_meta_info = false;
  MetaInfo meta_info;
  bool has_graph = false;
  GraphDef graph;
  bool has_saver = false;
  SaverDef saver;
  std::map<std::string, CollectionDef> collections;
  std::map<std::string, SignatureDef> signatures;
  std::vector<AssetFileDef> assets;
  std::string unread_fields;  // the object graph of TensorFlow 2 among them
  friend bool operator==(const MetaGraphDef&, const MetaGraphDef&) = default;
};

struct SavedModel {
  int64_t schema_version = 0;
  std::vector<MetaGraphDef> meta_graphs;
  std::string unread_fields;
  friend bool operator==(const SavedModel&, const SavedModel&) = default;
};

}  // namespace millrace
