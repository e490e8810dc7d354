/** Finding, fetching and building against a libtorch, and fetching other files; nothing here needs a libtorch. */
export { NATIVE_BINDING } from "../native/package.ts";
export { cacheFolder } from "./cache-folder.ts";
export { DownloadError, type DownloadOptions, download, verifyFile } from "./download.ts";
export { findLibtorch } from "./find.ts";
export { sharedLibraryName } from "./library-names.ts";
export { type Libtorch, TESTED_VERSIONS } from "./libtorch.ts";
export {
  builtLibrary,
  isBuilt,
  libtorchInUse,
  NativeLibraryError,
  type NativePackage,
  versionOfPackage,
} from "./native-package.ts";
export { SetupError, type SetupOptions, setup } from "./setup.ts";
