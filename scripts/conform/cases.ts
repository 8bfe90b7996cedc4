import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UsageError } from '../../cli/usage-error.ts';

/** One run of one program. */
export interface Case {
  readonly suite: string;
  readonly name: string;
  /** 'early', 'early+proc' ...: what the case needs of a kernel; empty where nobody said. */
  readonly reach: string;
  readonly command: readonly string[];
  /** The program on the host; null if the folder does not have it. */
  readonly program: string | null;
}

/**
 * A cases file: tab-separated lines `suite case feature needs reach command`, `#` before remarks, a first line of column names.
 * The programs are in DIR/<suite>/ or in DIR itself.
 */
export function readCases(file: string, dir: string): Case[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--cases ${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const cases: Case[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const columns = line.split('\t').map((column) => column.trim());
    if (cases.length === 0 && columns[0] === 'suite' && columns[1] === 'case') return;
    const [suite, name, , , reach, commandText] = columns;
    const command = (commandText ?? '').split(/\s+/).filter((word) => word !== '');
    if (columns.length !== 6 || command.length === 0 || !isPlainName(suite) || !isPlainName(command[0])) {
      throw new UsageError(
        `--cases ${file}: line ${index + 1} is not "suite case feature needs reach command" with tabs`,
      );
    }
    const places = [join(dir, suite, command[0]), join(dir, command[0])];
    cases.push({ suite, name, reach, command, program: places.find((place) => existsSync(place)) ?? null });
  });
  if (cases.length === 0) throw new UsageError(`--cases ${file}: there is no case in it`);
  return cases;
}

/** Every ELF program in the folder, run without arguments; the suite is the folder's name. */
export function listCases(dir: string): Case[] {
  const suite = basename(dir);
  const names = readdirSync(dir).filter((name) => isElf(join(dir, name)));
  if (names.length === 0) throw new UsageError(`--suite ${dir}: there is no program in it`);
  return names.sort().map((name) => ({ suite, name, reach: '', command: [name], program: join(dir, name) }));
}

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}

function isElf(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return false;
  const magic = Buffer.alloc(4);
  const descriptor = openSync(file, 'r');
  try {
    return readSync(descriptor, magic, 0, 4, 0) === 4 && magic.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(descriptor);
  }
}
