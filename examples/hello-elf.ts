/** A riscv64 Linux program without a compiler: it writes `text` to descriptor 1 and exits with `status`. */
export function helloElf(text: string, status: number): Uint8Array {
  const message = new TextEncoder().encode(text);
  const code = [
    0x04000893, // li a7, 64         write
    0x00100513, // li a0, 1
    0x00000597, // auipc a1, 0       the text stands 28 bytes behind this instruction
    0x01c58593, // addi a1, a1, 28
    0x00000613 | (message.length << 20), // li a2, length
    0x00000073, // ecall
    0x05d00893, // li a7, 93         exit
    0x00000513 | (status << 20), // li a0, status
    0x00000073, // ecall
  ];
  const address = 0x10000;
  const start = 64 + 56;
  const bytes = new Uint8Array(start + 4 * code.length + message.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 243, true); // EM_RISCV
  view.setUint32(20, 1, true);
  view.setUint32(24, address + start, true); // entry
  view.setUint32(32, 64, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // readable, executable
  view.setUint32(80, address, true);
  view.setUint32(96, bytes.length, true);
  view.setUint32(104, bytes.length, true);
  view.setUint32(112, 4096, true);
  for (const [i, word] of code.entries()) view.setUint32(start + 4 * i, word, true);
  bytes.set(message, start + 4 * code.length);
  return bytes;
}
