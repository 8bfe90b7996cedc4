import { isLcs } from './lcs.ts';
import { ORACLE_RECORD_BYTES } from './oracle-general.ts';

/** Names of `--format`. */
export const TRACE_FORMATS = ['lackey', 'oracleGeneral', 'lcs', 'csv', 'list'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** The format of a trace by its first bytes (decompressed, some thousands where there are so many); null: it looks like none. */
export function sniffTrace(head: Uint8Array): TraceFormat | null {
  if (isLcs(head)) return 'lcs';
  return isText(head) ? sniffText(head) : isOracleGeneral(head) ? 'oracleGeneral' : null;
}

function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}

function sniffText(head: Uint8Array): TraceFormat | null {
  const lines = new TextDecoder()
    .decode(head)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !/^(==|--|#)/.test(line));
  const [line] = lines;
  // lackey says who it is before all else.
  if (line === undefined) return /^==\d+== Lackey/m.test(new TextDecoder().decode(head)) ? 'lackey' : null;
  if (/^\s*([ILSM]|readi|readd|write)\s+(0x)?[0-9a-f]+/i.test(line)) return 'lackey';
  if (/^\s*(\d+|0x[0-9a-f]+)\s*$/i.test(line)) return 'list';
  return /[,;\t|]/.test(line) ? 'csv' : null;
}

/** Times do not go back, and what is accessed next is later than now or never (-1; in some writers the largest number). */
function isOracleGeneral(head: Uint8Array): boolean {
  const count = Math.floor(head.length / ORACLE_RECORD_BYTES);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  let before = 0;
  for (let record = 0; record < count; record++) {
    const at = record * ORACLE_RECORD_BYTES;
    const time = view.getUint32(at, true);
    const high = view.getInt32(at + 20, true);
    const next = high * 2 ** 32 + view.getUint32(at + 16, true);
    const isNever = next === -1 || high === 0x7fff_ffff;
    if (time < before || (!isNever && (next <= record || next > 2 ** 48))) return false;
    before = time;
  }
  return count > 0;
}
