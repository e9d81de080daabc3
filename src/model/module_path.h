#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>

namespace dualdepth {

// Returns the module of this dotted path below `root`; what is missing on the way is added without
// content. Lets a network have the names of another library whose modules are nested otherwise.
inline torch::nn::Module& module_at(torch::nn::Module& root, const std::string& path) {
  torch::nn::Module* module = &root;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    const auto children = module->named_children();
    const auto* found = children.find(name);
    module = found != nullptr
                 ? found->get()
                 : module->register_module(name, std::make_shared<torch::nn::Module>()).get();
    begin = end + 1;
  }
  return *module;
}

// Registers `module` below `root` under a dotted name and returns it.
template <class Holder>
Holder register_at(torch::nn::Module& root, const std::string& name, Holder module) {
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return root.register_module(name, std::move(module));
  return module_at(root, name.substr(0, dot))
      .register_module(name.substr(dot + 1), std::move(module));
}

}  // namespace dualdepth
