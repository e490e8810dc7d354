/** Folders of maps, read and written without libtorch. */
export {
  appendMapsImage,
  createMapsFolder,
  isMapsFolder,
  type MapsImage,
  type MapsInfo,
  type MapsPaths,
  mapsPaths,
  readMapsImages,
  readMapsInfo,
} from "./maps-folder.ts";
