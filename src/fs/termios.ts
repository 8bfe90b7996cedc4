import {
  B38400,
  CREAD,
  CS8,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  HUPCL,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IXON,
  NCCS,
  ONLCR,
  OPOST,
} from '../abi/termios.ts';

/** struct ktermios without the speeds, which mean nothing here. */
export interface Termios {
  iflag: number;
  oflag: number;
  cflag: number;
  lflag: number;
  line: number;
  readonly cc: Uint8Array;
}

/** Bytes of struct termios (TCGETS) and struct termios2 (TCGETS2). */
export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
const BAUD = 38400;

/** tty_std_termios and INIT_C_CC (drivers/tty/tty_io.c, asm-generic/termios-base.h). */
export function makeTermios(): Termios {
  const cc = new Uint8Array(NCCS);
  cc.set([3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0x0f, 0x17, 0x16, 0]);
  return {
    iflag: ICRNL | IXON,
    oflag: OPOST | ONLCR,
    cflag: B38400 | CS8 | CREAD | HUPCL,
    lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    line: 0,
    cc,
  };
}

/** As TCGETS (36 bytes) or TCGETS2 (44 bytes) gives it. */
export function encodeTermios(termios: Termios, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, termios.iflag, true);
  view.setUint32(4, termios.oflag, true);
  view.setUint32(8, termios.cflag, true);
  view.setUint32(12, termios.lflag, true);
  bytes[16] = termios.line;
  bytes.set(termios.cc, 17);
  if (lengthBytes >= TERMIOS2_BYTES) {
    view.setUint32(36, BAUD, true);
    view.setUint32(40, BAUD, true);
  }
  return bytes;
}

export function decodeTermios(bytes: Uint8Array): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    iflag: view.getUint32(0, true),
    oflag: view.getUint32(4, true),
    cflag: view.getUint32(8, true),
    lflag: view.getUint32(12, true),
    line: bytes[16],
    cc: bytes.slice(17, 17 + NCCS),
  };
}
