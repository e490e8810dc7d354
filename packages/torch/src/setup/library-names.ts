/** How a shared library `name` is called: `libname.so`, `libname.dylib`, `name.dll`. macOS and Windows are untried. */
export function sharedLibraryName(name: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return `${name}.dll`;
  return `lib${name}.${platform === "darwin" ? "dylib" : "so"}`;
}
