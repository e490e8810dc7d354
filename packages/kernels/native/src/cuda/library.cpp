#include "library.h"

#include <dlfcn.h>
#include <link.h>

#include "unusable.h"

namespace armseg {
namespace cuda {

Library::Library(const std::string& what, const std::vector<std::string>& candidates, const std::string& remedy) : what_(what), remedy_(remedy) {
  std::string tried;
  for (const std::string& candidate : candidates) {
    // Libraries that know each other by name stay open for the life of the process.
    handle_ = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) return;
    tried += (tried.empty() ? "" : ", ") + candidate;
  }
  throw Unusable(what + " was not found (looked for " + tried + "); " + remedy);
}

void* Library::symbol(const char* name) const {
  void* found = dlsym(handle_, name);
  if (!found) throw Unusable(what_ + " lacks " + name + "; " + remedy_);
  return found;
}

namespace {

struct Search {
  const std::string& name;
  std::string folder;
};

int visit(dl_phdr_info* info, size_t, void* data) {
  Search& search = *static_cast<Search*>(data);
  const std::string path = info->dlpi_name;
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos || path.compare(slash + 1, search.name.size(), search.name) != 0) return 0;
  search.folder = path.substr(0, slash);
  return 1;
}

}  // namespace

std::string folder_of_loaded(const std::string& name) {
  Search search{name, ""};
  dl_iterate_phdr(visit, &search);
  return search.folder;
}

}  // namespace cuda
}  // namespace armseg
