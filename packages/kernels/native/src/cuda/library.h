// Shared libraries found at run time: nothing of CUDA is linked.
#pragma once
#include <string>
#include <vector>

namespace armseg {
namespace cuda {

class Library {
 public:
  // The first of the candidates, names or paths, that loads; throws Unusable("WHAT was not found (CANDIDATES); REMEDY").
  Library(const std::string& what, const std::vector<std::string>& candidates, const std::string& remedy);

  template <typename Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;  // throws Unusable
  void* handle_ = nullptr;
  std::string what_, remedy_;
};

// Folder of the loaded library whose file name starts with `name`, or "".
std::string folder_of_loaded(const std::string& name);

}  // namespace cuda
}  // namespace armseg
