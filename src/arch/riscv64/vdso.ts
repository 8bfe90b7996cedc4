import { EM_RISCV, ET_DYN, PF_R, PF_X, PT_DYNAMIC, PT_LOAD } from '../../abi/elf.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { VdsoImage } from '../arch.ts';
import { VDSO_FUNCTIONS } from './vdso-code.ts';
import { vvarPages } from './vvar.ts';
import { setU64 } from './words.ts';

/**
 * The vdso: a shared object of one page with a dynamic symbol table (System V ABI, chapter 5) and symbol versions. Its functions
 * are those of Linux's for riscv64 but getrandom, all of version LINUX_4.15 (arch/riscv/kernel/vdso/vdso.lds.S).
 */
const SONAME = 'linux-vdso.so.1';
const VERSION = 'LINUX_4.15';
const STT_FUNC_GLOBAL = 0x12;
const STT_OBJECT_GLOBAL = 0x11;
const TEXT_SECTION = 1;
const SHN_ABS = 0xfff1;
const SYMBOL_BYTES = 24;
const EF_RISCV_RVC_DOUBLE = 5;

/** struct Verdef with one Verdaux. */
const VERDEF_BYTES = 28;
const VER_FLG_BASE = 1;
/** Indexes of the two versions: the object itself, and VERSION. */
const BASE_INDEX = 1;
const VERSION_INDEX = 2;

export function buildVdsoImage(taskBytes: number): VdsoImage {
  const bytes = new Uint8Array(PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  const symbols = 64 + 2 * 56;
  // The null symbol, the functions, and the version's own symbol.
  const symbolCount = VDSO_FUNCTIONS.length + 2;
  const strings = symbols + symbolCount * SYMBOL_BYTES;
  let stringEnd = strings + 1;
  const addString = (text: string): number => {
    const at = stringEnd - strings;
    for (let i = 0; i < text.length; i++) bytes[stringEnd + i] = text.charCodeAt(i);
    stringEnd += text.length + 1;
    return at;
  };
  const names = VDSO_FUNCTIONS.map(({ symbol }) => addString(symbol));
  const soname = addString(SONAME);
  const version = addString(VERSION);

  // DT_HASH with one bucket: a chain of all symbols.
  const hash = align8(stringEnd);
  view.setUint32(hash, 1, true);
  view.setUint32(hash + 4, symbolCount, true);
  view.setUint32(hash + 8, 1, true);
  for (let i = 1; i < symbolCount; i++) view.setUint32(hash + 12 + 4 * i, i + 1 < symbolCount ? i + 1 : 0, true);

  const versions = align8(hash + 12 + 4 * symbolCount);
  for (let i = 1; i < symbolCount; i++) view.setUint16(versions + 2 * i, VERSION_INDEX, true);
  const definitions = align8(versions + 2 * symbolCount);
  writeVerdef(view, definitions, BASE_INDEX, VER_FLG_BASE, SONAME, soname, VERDEF_BYTES);
  writeVerdef(view, definitions + VERDEF_BYTES, VERSION_INDEX, 0, VERSION, version, 0);

  const dynamic = align8(definitions + 2 * VERDEF_BYTES);
  const entries = [
    [14, soname], // DT_SONAME
    [4, hash],
    [5, strings],
    [6, symbols],
    [10, stringEnd - strings],
    [11, SYMBOL_BYTES],
    [0x6fff_fffc, definitions], // DT_VERDEF
    [0x6fff_fffd, 2], // DT_VERDEFNUM
    [0x6fff_fff0, versions], // DT_VERSYM
    [0, 0],
  ];
  entries.forEach(([tag, value], i) => {
    setU64(view, dynamic + i * 16, tag);
    setU64(view, dynamic + i * 16 + 8, value);
  });

  const text = align8(dynamic + entries.length * 16);
  let code = text;
  VDSO_FUNCTIONS.forEach((each, i) => {
    bytes.set(each.code, code);
    writeSymbol(
      view,
      symbols + (i + 1) * SYMBOL_BYTES,
      names[i],
      STT_FUNC_GLOBAL,
      TEXT_SECTION,
      code,
      each.code.length,
    );
    code += align8(each.code.length);
  });
  writeSymbol(view, symbols + (symbolCount - 1) * SYMBOL_BYTES, version, STT_OBJECT_GLOBAL, SHN_ABS, 0, 0);

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  view.setUint16(16, ET_DYN, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true);
  setU64(view, 24, text);
  setU64(view, 32, 64);
  view.setUint32(48, EF_RISCV_RVC_DOUBLE, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  view.setUint16(58, 64, true);
  programHeader(view, 64, PT_LOAD, PF_R | PF_X, 0, PAGE_SIZE, PAGE_SIZE);
  programHeader(view, 120, PT_DYNAMIC, PF_R, dynamic, entries.length * 16, 8);
  return { bytes, sigreturnOffset: text, dataPages: (time) => vvarPages(time, taskBytes) };
}

const align8 = (offset: number): number => Math.ceil(offset / 8) * 8;

function writeSymbol(
  view: DataView,
  at: number,
  name: number,
  info: number,
  section: number,
  value: number,
  size: number,
): void {
  view.setUint32(at, name, true);
  view.setUint8(at + 4, info);
  view.setUint16(at + 6, section, true);
  setU64(view, at + 8, value);
  setU64(view, at + 16, size);
}

function writeVerdef(
  view: DataView,
  at: number,
  index: number,
  flags: number,
  name: string,
  nameOffset: number,
  next: number,
): void {
  view.setUint16(at, 1, true);
  view.setUint16(at + 2, flags, true);
  view.setUint16(at + 4, index, true);
  view.setUint16(at + 6, 1, true);
  view.setUint32(at + 8, elfHash(name), true);
  view.setUint32(at + 12, 20, true);
  view.setUint32(at + 16, next, true);
  view.setUint32(at + 20, nameOffset, true);
}

/** The System V hash of a name. */
function elfHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = (hash * 16 + name.charCodeAt(i)) >>> 0;
    const high = hash & 0xf000_0000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

function programHeader(
  view: DataView,
  at: number,
  type: number,
  flags: number,
  offset: number,
  size: number,
  align: number,
): void {
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  for (const field of [8, 16, 24]) setU64(view, at + field, offset);
  setU64(view, at + 32, size);
  setU64(view, at + 40, size);
  setU64(view, at + 48, align);
}
