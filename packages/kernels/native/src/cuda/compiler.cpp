#include "compiler.h"

#include <dlfcn.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "library.h"
#include "source.h"
#include "unusable.h"

namespace armseg {
namespace cuda {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> found;
  glob_t list{};
  if (glob(pattern.c_str(), 0, nullptr, &list) == 0)
    for (size_t i = 0; i < list.gl_pathc; ++i) found.push_back(list.gl_pathv[i]);
  globfree(&list);
  return found;
}

// The library itself, neither its helper nor the .alt builds, which differ in memory use only.
bool is_nvrtc(const std::string& file) { return file.find("builtins") == std::string::npos && file.find(".alt.") == std::string::npos; }

// NVRTC opens its helper by bare name, which finds it only once it is loaded.
void load_helpers(const std::string& folder) {
  for (const std::string& file : matches(folder + "/libnvrtc-builtins*.so*"))
    if (file.find(".alt.") == std::string::npos) dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
}

// PyTorch's own NVRTC first: its machine code suits the driver that PyTorch runs on.
std::vector<std::string> nvrtc_candidates() {
  std::vector<std::string> candidates;
  for (const char* name : {"libtorch_cuda.so", "libc10_cuda.so"}) {
    const std::string folder = folder_of_loaded(name);
    if (folder.empty()) continue;
    for (const std::string& pattern : {folder + "/libnvrtc*.so*", folder + "/../../nvidia/*/lib/libnvrtc*.so*"})
      for (const std::string& file : matches(pattern))
        if (is_nvrtc(file) && std::find(candidates.begin(), candidates.end(), file) == candidates.end()) candidates.push_back(file);
  }
  for (const char* name : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"}) candidates.push_back(name);
  return candidates;
}

// nvrtc.h, as far as used. Results are 0 for success.
using Program = struct OpaqueProgram*;

class Nvrtc {
 public:
  Nvrtc() : library_("NVRTC, CUDA's run-time compiler,", nvrtc_candidates(), "install a libtorch with CUDA, or the package nvidia-cuda-nvrtc") {
    load_helpers(folder_of_loaded("libnvrtc.so").empty() ? folder_of_loaded("libnvrtc-") : folder_of_loaded("libnvrtc.so"));
    library_.find(version_, "nvrtcVersion");
    library_.find(arch_count_, "nvrtcGetNumSupportedArchs");
    library_.find(archs_, "nvrtcGetSupportedArchs");
    library_.find(create_, "nvrtcCreateProgram");
    library_.find(compile_, "nvrtcCompileProgram");
    library_.find(destroy_, "nvrtcDestroyProgram");
    library_.find(log_size_, "nvrtcGetProgramLogSize");
    library_.find(log_, "nvrtcGetProgramLog");
    library_.find(cubin_size_, "nvrtcGetCUBINSize");
    library_.find(cubin_, "nvrtcGetCUBIN");
    library_.find(ptx_size_, "nvrtcGetPTXSize");
    library_.find(ptx_, "nvrtcGetPTX");
  }

  std::string version() const {
    int major = 0, minor = 0;
    version_(&major, &minor);
    return std::to_string(major) + "." + std::to_string(minor);
  }

  // sm_XY where it knows the processor; else, for a newer one, the newest it knows as PTX, which the driver translates.
  std::string architecture(int capability) const {
    int count = 0;
    arch_count_(&count);
    std::vector<int> known(count);
    archs_(known.data());
    if (std::find(known.begin(), known.end(), capability) != known.end()) return "sm_" + std::to_string(capability);
    int newest = 0;
    for (const int arch : known)
      if (arch < capability) newest = std::max(newest, arch);
    if (!newest) throw Unusable("NVRTC " + version() + " makes no code for compute capability " + std::to_string(capability) + "; this GPU needs an older libtorch, or the composed loss");
    return "compute_" + std::to_string(newest);
  }

  std::string compile(const std::string& architecture) const {
    Program program = nullptr;
    check(create_(&program, kSource, "armseg.cu", 0, nullptr, nullptr), "nvrtcCreateProgram", "");
    const std::string target = "--gpu-architecture=" + architecture;
    const char* options[] = {target.c_str(), "--std=c++17", "--ftz=true"};
    const int result = compile_(program, 3, options);
    const std::string problem = result == 0 ? "" : log_of(program);
    const bool is_ptx = architecture.rfind("compute_", 0) == 0;
    std::string image;
    if (result == 0) image = is_ptx ? read(program, ptx_size_, ptx_) : read(program, cubin_size_, cubin_);
    destroy_(&program);
    check(result, "nvrtcCompileProgram", problem);
    if (image.empty()) throw Unusable("NVRTC " + version() + " left no code for " + architecture + "; use the composed loss, and report this");
    return image;
  }

 private:
  void check(int result, const char* call, const std::string& log) const {
    if (result == 0) return;
    throw Unusable(std::string(call) + " of NVRTC " + version() + " failed with " + std::to_string(result) + (log.empty() ? "" : " (" + log + ")") + "; use the composed loss, and report this");
  }

  std::string read(Program program, int (*size_of)(Program, size_t*), int (*content_of)(Program, char*)) const {
    size_t size = 0;
    if (size_of(program, &size) != 0 || size == 0) return "";
    std::string content(size, '\0');
    return content_of(program, &content[0]) == 0 ? content : "";
  }

  // The first line that says error.
  std::string log_of(Program program) const {
    std::istringstream lines(read(program, log_size_, log_));
    for (std::string line; std::getline(lines, line);)
      if (line.find("error") != std::string::npos) return line;
    return "";
  }

  Library library_;
  int (*version_)(int*, int*);
  int (*arch_count_)(int*);
  int (*archs_)(int*);
  int (*create_)(Program*, const char*, const char*, int, const char* const*, const char* const*);
  int (*compile_)(Program, int, const char* const*);
  int (*destroy_)(Program*);
  int (*log_size_)(Program, size_t*);
  int (*log_)(Program, char*);
  int (*cubin_size_)(Program, size_t*);
  int (*cubin_)(Program, char*);
  int (*ptx_size_)(Program, size_t*);
  int (*ptx_)(Program, char*);
};

// FNV-1a.
uint64_t hash(const std::string& text) {
  uint64_t value = 0xcbf29ce484222325u;
  for (const unsigned char byte : text) value = (value ^ byte) * 0x100000001b3u;
  return value;
}

std::string hex(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

// Empty if there is no home to write to.
fs::path cache_folder() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return fs::path(cache) / "armseg" / "kernels";
  if (home && *home) return fs::path(home) / ".cache" / "armseg" / "kernels";
  return {};
}

// A file is the hash of the code, then the code.
constexpr size_t kHashLength = 16;

std::string read_cache(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  const std::string text = content.str();
  if (!in || text.size() <= kHashLength) return "";
  const std::string image = text.substr(kHashLength);
  return text.compare(0, kHashLength, hex(hash(image))) == 0 ? image : "";
}

// Written under another name first, so that no one reads half a file. What cannot be written is made again next time.
void write_cache(const fs::path& file, const std::string& image) {
  std::error_code ignored;
  fs::create_directories(file.parent_path(), ignored);
  const fs::path temporary = file.string() + "." + std::to_string(getpid());
  std::ofstream out(temporary, std::ios::binary);
  out << hex(hash(image)) << image;
  out.close();
  if (out) fs::rename(temporary, file, ignored);
  else fs::remove(temporary, ignored);
}

}  // namespace

void load_kernels(int capability, const std::function<bool(const std::string&)>& load) {
  const Nvrtc nvrtc;
  const std::string architecture = nvrtc.architecture(capability);
  const fs::path folder = cache_folder(), file = folder / (hex(hash(kSource + nvrtc.version() + architecture)) + ".cubin");
  const std::string kept = folder.empty() ? "" : read_cache(file);
  if (!kept.empty() && load(kept)) return;
  const std::string image = nvrtc.compile(architecture);
  if (!load(image)) throw Unusable("the driver refuses the code that NVRTC " + nvrtc.version() + " made for " + architecture + "; update the NVIDIA driver, or use the composed loss");
  if (!folder.empty()) write_cache(file, image);
}

}  // namespace cuda
}  // namespace armseg
