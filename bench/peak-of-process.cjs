// For `node --require`: says at the end of the process what it took (memory.ts reads it), as JSON on descriptor 3.
const { writeSync } = require('node:fs');

const PAGE_BYTES = 4096;
/** In front of the guest's RAM (riscv64/layout.ts). */
const MACHINE_AREA_BYTES = 32 * 2 ** 20;

let ram = null;
const { Memory } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor(descriptor) {
    super(descriptor);
    if (this.buffer.byteLength > MACHINE_AREA_BYTES) ram = this;
  }
};

process.on('exit', () => {
  // Before pages are counted, which reads those that were never touched.
  const hostBytes = process.resourceUsage().maxRSS * 1024;
  writeSync(3, JSON.stringify({ hostBytes, guestBytes: touchedBytes() }));
});

/** Pages of guest RAM that are not all zero: at least those are the host's, too. */
function touchedBytes() {
  const words = new Uint32Array(ram.buffer, MACHINE_AREA_BYTES);
  let pages = 0;
  for (let start = 0; start < words.length; start += PAGE_BYTES / 4) {
    for (let word = start; word < start + PAGE_BYTES / 4; word++) {
      if (words[word] === 0) continue;
      pages++;
      break;
    }
  }
  return pages * PAGE_BYTES;
}
