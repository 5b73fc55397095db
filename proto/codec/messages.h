// Reading and writing of the messages that others contain. Internal to
// proto/codec. Read adds to `out`, as the wire's rule for a repeated field of
// message type is: fields that come again are merged.
#pragma once

#include "millrace/proto/codec/wire.h"
#include "millrace/proto/value/attr.h"
#include "millrace/proto/value/graph_def.h"
#include "millrace/proto/value/meta_graph.h"
#include "millrace/proto/value/tensor_value.h"

namespace millrace::codec {

void Read(Reader r, ShapeValue* out);
void Read(Reader r, TensorValue* out);
void Read(Reader r, AttrValue* out);
void Read(Reader r, FuncValue* out);

void Write(const Shape& shape, const std::vector<std::string>& dim_names, std::string* out);
void Write(const TensorValue& value, std::string* out);
void Write(const AttrValue& value, std::string* out);

void Read(Reader r, NodeDef* out);
void Read(Reader r, VersionDef* out);
void Read(Reader r, OpDefValue* out);
void Read(Reader r, FunctionLibrary* out);
void Read(Reader r, GraphDef* out);
void Read(Reader r, MetaGraphDef* out);

void Write(const NodeDef& value, std::string* out);
void Write(const VersionDef& value, std::string* out);
void Write(const OpDefValue& value, std::string* out);
void Write(const FunctionLibrary& value, std::string* out);
void Write(const GraphDef& value, std::string* out);
void Write(const MetaGraphDef& value, std::string* out);

// An entry of map<string, AttrValue>: the last of a name wins.
void ReadEntry(Reader r, AttrMap* out);
void WriteMap(uint32_t field, const AttrMap& map, std::string* out);
void ReadEntry(Reader r, std::map<std::string, std::string>* out);
void WriteMap(uint32_t field, const std::map<std::string, std::string>& map, std::string* out);

}  // namespace millrace::codec
