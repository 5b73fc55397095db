#include "millrace/compiler/dialect/Devices.h"
#include "millrace/proto/value/strings.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace millrace::compiler {

unsigned deviceOf(Operation *op) {
  if (!severalDevices(op))
    return 0;
  for (;;) {
    if (auto device = op->getAttrOfType<IntegerAttr>("place.device"))
      return static_cast<unsigned>(device.getInt());
    Operation *from = nullptr;
    for (Value v : dataOperands(op))
      if (Operation *source = v.getDefiningOp();
          source && !constantValue(source) && !isStructural(source, "dims")) {
        from = source;
        break;
      }
    if (!from)
      return hostDevice(stateOf(op));
    op = from;
  }
}

void setDevice(Operation *op, unsigned device) {
  op->setAttr("place.device",
              Builder(op->getContext()).getI32IntegerAttr(static_cast<int>(device)));
}

llvm::StringRef kindOf(Operation *op) { return stateOf(op).devices[deviceOf(op)].kind; }

static const KernelDef *kernelOf(Operation *op) {
  const Op *def = opOf(op);
  return def ? def->FindKernel(std::string_view(kindOf(op)), attrsOf(op)) : nullptr;
}

bool operandOnHost(Operation *op, unsigned i) {
  if (IsObject(dtypeOf(op->getOperand(i).getType())))
    return true;
  const KernelDef *kernel = kernelOf(op);
  return kernel && llvm::is_contained(kernel->host_inputs, static_cast<int>(i));
}

bool resultOnHost(Operation *op, unsigned i) {
  if (IsObject(dtypeOf(op->getResult(i).getType())))
    return true;
  const KernelDef *kernel = kernelOf(op);
  return kernel && llvm::is_contained(kernel->host_outputs, static_cast<int>(i));
}

unsigned hostDevice(const CompileState &state) {
  for (unsigned d = 0; d < state.devices.size(); ++d)
    if (state.devices[d].kind == "CPU" && state.devices[d].ordinal == 0)
      return d;
  return 0;
}

std::string deviceText(const CompileState &state, unsigned device) {
  return Cat(state.devices[device].kind, ":", state.devices[device].ordinal);
}

std::string deviceTexts(const CompileState &state) {
  std::vector<std::string> texts;
  for (unsigned d = 0; d < state.devices.size(); ++d)
    texts.push_back(deviceText(state, d));
  return Join(texts, ", ");
}

static const CompileState::DeviceAsk *askOf(Operation *op) {
  const auto &asks = stateOf(op).askedDevices;
  auto it = asks.find(std::string_view(nodeName(op->getLoc())));
  return it == asks.end() ? nullptr : &it->second;
}

static DeviceName parsed(std::string_view text) {
  Result<DeviceName> name = DeviceName::Parse(text);
  return name.ok() ? std::move(*name) : DeviceName();
}

DeviceName askedFor(Operation *op) {
  if (auto text = op->getAttrOfType<StringAttr>("graph.device"))
    return parsed(std::string_view(text.getValue()));
  const CompileState::DeviceAsk *ask = askOf(op);
  return ask ? parsed(ask->wanted) : DeviceName();
}

DeviceName ownAsk(Operation *op) {
  const CompileState::DeviceAsk *ask = askOf(op);
  return ask ? parsed(ask->own) : askedFor(op);
}

LogicalResult readDevices(Operation *module) {
  CompileState &state = stateOf(module);
  state.softPlacement = !module->hasAttr("graph.strict_placement");
  auto list = module->getAttrOfType<ArrayAttr>("graph.devices");
  if (!list)
    return success();
  state.devices.clear();
  for (Attribute a : list) {
    auto text = llvm::dyn_cast<StringAttr>(a);
    Result<DeviceName> name = text ? DeviceName::Parse(std::string_view(text.getValue()))
                                   : Result<DeviceName>(DeviceName());
    if (!name.ok() || name->kind.empty() || name->ordinal == DeviceName::kAny)
      return module->emitError() << "graph.devices: expected texts such as \"CPU:0\", found " << a;
    state.devices.push_back({name->kind, static_cast<uint32_t>(name->ordinal)});
  }
  if (state.devices.empty())
    state.devices.push_back({"CPU", 0});
  return success();
}

} // namespace millrace::compiler
