// Writes .tar.gz archives that depend on nothing but their contents: no time, owner, mode or order of the file system is in them.

import { gzipSync } from "node:zlib";

const BLOCK = 512;
// gzip's code for an unknown system. zlib writes its own.
const UNKNOWN_SYSTEM = 255;
const SYSTEM_AT = 9;

/**
 * @param {Record<string, Buffer | string>} files  by their paths in the archive, of at most 100 bytes each
 * @returns {Buffer}
 */
export function tarball(files) {
  const blocks = Object.keys(files).sort().flatMap((path) => entry(path, Buffer.from(files[path])));
  const archive = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 });
  archive[SYSTEM_AT] = UNKNOWN_SYSTEM;
  return archive;
}

// The POSIX format "ustar": a header of one block, and the contents in whole blocks.
function entry(path, content) {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for the archive`);
  const header = Buffer.alloc(BLOCK);
  const octal = (number, digits) => `${number.toString(8).padStart(digits, "0")}\0`;
  header.write(path, 0);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108); // owner
  header.write(octal(0, 7), 116); // group
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136); // time
  header.write(" ".repeat(8), 148); // the check sum counts itself as spaces
  header.write("0", 156); // a file
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}
