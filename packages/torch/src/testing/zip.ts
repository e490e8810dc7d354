import { crc32, deflateRawSync } from "node:zlib";

/** A file of an archive. */
export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly deflated?: boolean;
  /** Lies told by the central directory. */
  readonly claims?: Partial<
    Record<"size" | "compressedSize" | "headerOffset" | "method" | "flags" | "crc", number>
  >;
}

/** Returns a zip archive, as small as the format allows. */
export function zip(parts: readonly ZipPart[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflated, claims } of parts) {
    const data = deflated ? deflateRawSync(content) : content;
    const fields = { size: content.length, compressedSize: data.length, headerOffset: offset, ...claims };
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(claims?.flags ?? 0, 8);
    entry.writeUInt16LE(claims?.method ?? (deflated ? 8 : 0), 10);
    entry.writeUInt32LE(claims?.crc ?? crc32(content), 16);
    entry.writeUInt32LE(fields.compressedSize, 20);
    entry.writeUInt32LE(fields.size, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(fields.headerOffset, 42);
    bodies.push(local, Buffer.from(name), Buffer.from(data));
    directory.push(entry, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const size = Buffer.concat(directory).length;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...directory, end]);
}
