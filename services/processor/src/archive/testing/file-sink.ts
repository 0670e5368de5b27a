import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { crc32Hex } from "../crc32.ts";
import type { Part, PartSink } from "../ports.ts";

const ZEROS = Buffer.alloc(1024 * 1024);

/** Puts the parts of an archive where they belong in a file. Stretches of zeros are left out: a file can be sparse. */
export class FileSink implements PartSink {
  readonly #file: FileHandle;
  readonly #partSize: number;
  readonly #end: number;

  private constructor(file: FileHandle, partSize: number, end: number) {
    this.#file = file;
    this.#partSize = partSize;
    this.#end = end;
  }

  static async create(path: string, partSize: number, sizeBytes: number): Promise<FileSink> {
    const file = await open(path, "w");
    await file.truncate(sizeBytes);
    return new FileSink(file, partSize, sizeBytes);
  }

  async upload({ number, bytes, crc32: told }: Part): Promise<void> {
    const from = (number - 1) * this.#partSize;
    if (crc32Hex(crc32(bytes)) !== told) throw new Error(`part ${number} does not have its CRC`);
    if (from + bytes.length !== Math.min(this.#end, from + this.#partSize)) {
      throw new Error(`part ${number} has ${bytes.length} bytes`);
    }
    for (let at = 0; at < bytes.length; at += ZEROS.length) {
      const piece = bytes.subarray(at, at + ZEROS.length);
      if (!ZEROS.subarray(0, piece.length).equals(piece)) await this.#file.write(piece, 0, piece.length, from + at);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
