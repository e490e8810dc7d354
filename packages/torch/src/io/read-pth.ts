import type { InputFile } from "./input-file.ts";
import { withInputFile } from "./input-file.ts";
import { readLegacyFormat } from "./pth/legacy-format.ts";
import type { PthValue } from "./pth/tree.ts";
import type { ReadPthOptions } from "./pth/unpickle.ts";
import { readZipFormat } from "./pth/zip-format.ts";

const HEAD_BYTES = 512;

/**
 * Reads a file of PyTorch's torch.save(), in the zip or the older format, and executes nothing of it.
 *
 * A `.pth` file is a pickle, that is, a program. Here its language has no functions but a short list of our own that
 * build tensors, dicts, sets and numbers: see `docs/io.md`. Anything else is refused by name. Tensors come into main
 * memory wherever they lay; those of one storage share its buffer; views that are not contiguous are copied.
 *
 * @throws {FileFormatError} If the file is damaged, hostile, of another format or needs a global that is not known.
 * @throws {FileAccessError} If it cannot be read.
 */
export function readPth(path: string, options: ReadPthOptions = {}): PthValue {
  return withInputFile("readPth", path, (file) => {
    const head = file.read(0, Math.min(file.size, HEAD_BYTES));
    if (head[0] === 0x50 && head[1] === 0x4b) return readZipFormat(file, options);
    if (head[0] === 0x80) return readLegacyFormat(file, options);
    throw unknownFormat(file, head);
  });
}

function unknownFormat(file: InputFile, head: Uint8Array): Error {
  if (Buffer.from(head.subarray(257, 262)).toString("latin1") === "ustar") {
    return file.error(
      "refuses the tar format of PyTorch before 0.2",
      "load it with torch.load() in Python and save it again with torch.save()",
    );
  }
  const what = "expected a zip archive or pickle of torch.save(), got neither";
  return file.error(what, "is it a .pth file? .safetensors files are read by readSafetensors()");
}
