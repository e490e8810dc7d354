/** What needs no libtorch: finding and fetching files for it. */
export { cacheFolder } from "./cache-folder.ts";
export { DownloadError, type DownloadOptions, download, verifyFile } from "./download.ts";
