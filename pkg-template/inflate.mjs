// Inflates deflated bytes (RFC 1951). It is only for the package's own wasm, where the platform has no function that does this
// synchronously. Therefore it is small, prepares nothing before it is called, and does not check its input.

const END_OF_BLOCK = 256;
// The order in which a block lists the code lengths of its code lengths (RFC 1951 §3.2.7).
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const MAX_BITS = 15;

// Returns the inflated bytes, of which there are `length`.
export function inflate(bytes, length) {
  const out = new Uint8Array(length);
  const input = { bytes, position: 0, buffer: 0, count: 0 };
  let end = 0;
  for (let isLast = 0; isLast === 0; ) {
    isLast = readBits(input, 1);
    const kind = readBits(input, 2);
    end = kind === 0 ? copyStored(input, out, end) : inflateBlock(input, out, end, kind === 1 ? fixedCodes() : readCodes(input));
  }
  return out;
}

function readBits(input, count) {
  while (input.count < count) {
    input.buffer |= input.bytes[input.position++] << input.count;
    input.count += 8;
  }
  const bits = input.buffer & ((1 << count) - 1);
  input.buffer >>>= count;
  input.count -= count;
  return bits;
}

function copyStored(input, out, end) {
  // The block begins at the next whole byte, with its length and the complement of that.
  input.position -= input.count >> 3;
  input.buffer = input.count = 0;
  const length = readBits(input, 16);
  readBits(input, 16);
  out.set(input.bytes.subarray(input.position, (input.position += length)), end);
  return end + length;
}

function inflateBlock(input, out, start, { literals, distances }) {
  let end = start;
  for (;;) {
    const symbol = readSymbol(input, literals);
    if (symbol < END_OF_BLOCK) out[end++] = symbol;
    else if (symbol === END_OF_BLOCK) return end;
    else {
      let length = readLength(input, symbol - END_OF_BLOCK - 1);
      for (let from = end - 1 - readRange(input, readSymbol(input, distances), 1); length > 0; length--) out[end++] = out[from++];
    }
  }
}

// The last length has no more bits.
function readLength(input, index) {
  return index === 28 ? 258 : 3 + readRange(input, index, 2);
}

// Small numbers stand for themselves. Then 2 ** groupBits numbers in turn have one more bit than those before them (RFC 1951 §3.2.5).
function readRange(input, index, groupBits) {
  const size = 1 << groupBits;
  if (index < 2 * size) return index;
  const extra = (index >> groupBits) - 1;
  return ((size + (index & (size - 1))) << extra) + readBits(input, extra);
}

function readCodes(input) {
  const literalCount = readBits(input, 5) + 257;
  const distanceCount = readBits(input, 5) + 1;
  const lengthCount = readBits(input, 4) + 4;
  const lengthLengths = new Uint8Array(LENGTH_ORDER.length);
  for (let index = 0; index < lengthCount; index++) lengthLengths[LENGTH_ORDER[index]] = readBits(input, 3);
  const code = makeCode(lengthLengths);
  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let index = 0; index < lengths.length; ) {
    const symbol = readSymbol(input, code);
    if (symbol < 16) lengths[index++] = symbol;
    else {
      const repeated = symbol === 16 ? lengths[index - 1] : 0;
      const count = symbol === 16 ? 3 + readBits(input, 2) : symbol === 17 ? 3 + readBits(input, 3) : 11 + readBits(input, 7);
      lengths.fill(repeated, index, (index += count));
    }
  }
  return { literals: makeCode(lengths.subarray(0, literalCount)), distances: makeCode(lengths.subarray(literalCount)) };
}

function fixedCodes() {
  const lengths = new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
  return { literals: makeCode(lengths), distances: makeCode(new Uint8Array(30).fill(5)) };
}

// Makes a canonical Huffman code: how many symbols have a code of each length, and the symbols in the order of their codes.
function makeCode(lengths) {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let length = 1; length <= MAX_BITS; length++) offsets[length + 1] = offsets[length] + counts[length];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length !== 0) symbols[offsets[length]++] = symbol;
  });
  return { counts, symbols };
}

// Codes of one length are consecutive numbers. So the code read so far is complete if it is one of those of its length.
function readSymbol(input, { counts, symbols }) {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; ; length++) {
    if (input.count === 0) {
      input.buffer = input.bytes[input.position++];
      input.count = 8;
    }
    code |= input.buffer & 1;
    input.buffer >>>= 1;
    input.count--;
    const count = counts[length];
    if (code - count < first) return symbols[index + (code - first)];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
}
