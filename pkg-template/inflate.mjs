// Inflates deflated bytes (RFC 1951). It is only for the package's own wasm, where the platform has no function that does this
// synchronously. Therefore it is small, prepares nothing before it is called, does not check its input, and reads only blocks with
// codes of their own: there are no others in the wasm. The build checks that it inflates what it is for.

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
    readBits(input, 2);
    end = inflateBlock(input, out, end, readCodes(input));
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

function inflateBlock(input, out, start, { literals, distances }) {
  let end = start;
  for (;;) {
    const symbol = readSymbol(input, literals);
    if (symbol < END_OF_BLOCK) out[end++] = symbol;
    else if (symbol === END_OF_BLOCK) return end;
    else {
      let length = readLength(input, symbol - END_OF_BLOCK - 1);
      for (let from = end - readDistance(input, readSymbol(input, distances)); length > 0; length--) out[end++] = out[from++];
    }
  }
}

// From 8 on, each 4 lengths have one more bit. The last length has none (RFC 1951 §3.2.5).
function readLength(input, index) {
  if (index < 8) return index + 3;
  if (index === 28) return 258;
  const extra = (index >> 2) - 1;
  return 3 + ((4 + (index & 3)) << extra) + readBits(input, extra);
}

// From 4 on, each 2 distances have one more bit.
function readDistance(input, index) {
  if (index < 4) return index + 1;
  const extra = (index >> 1) - 1;
  return 1 + ((2 + (index & 1)) << extra) + readBits(input, extra);
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
