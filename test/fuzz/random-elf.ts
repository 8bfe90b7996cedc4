/** A riscv64 program of one segment that may be read, written and run. */
export function elfOf(code: Uint8Array, address: number, memoryBytes: number): Uint8Array {
  const file = new Uint8Array(4096 + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, address, true);
  view.setUint32(32, 64, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  view.setUint32(72, 4096, true);
  view.setUint32(80, address, true);
  view.setUint32(88, address, true);
  view.setUint32(96, code.length, true);
  view.setUint32(104, memoryBytes, true);
  view.setUint32(112, 4096, true);
  file.set(code, 4096);
  return file;
}
