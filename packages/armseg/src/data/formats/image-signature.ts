import { open } from "node:fs/promises";

/** What JPEG, PNG, GIF, WebP and TIFF files begin with, in Latin-1. */
const STARTS = ["\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF8", "RIFF", "II*\0", "II+\0", "MM\0*", "MM\0+"];

/** Whether a file exists and begins as a picture does; what follows may still be damaged. */
export async function hasPictureSignature(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const found = buffer.toString("latin1", 0, bytesRead);
    return STARTS.some((start) => found.startsWith(start));
  } catch {
    return false;
  }
}
