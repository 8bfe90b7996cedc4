import { styleText } from 'node:util';
import type { FaultDescription } from '../src/index.ts';

type Kind = FaultDescription['kind'];
type Colour = Parameters<typeof styleText>[0];

const WHY: Readonly<Record<Kind, string>> = {
  anonZero: 'first write: a frame of zeroes',
  anonReadZero: 'first read: the shared zero page',
  cowCopy: 'shared frame written: copied',
  cowReuse: 'no longer shared: written in place',
  fileRead: 'from the page cache',
  fileShared: 'first write to a shared file page',
  stackGrow: 'below the stack: it is extended',
  swapIn: 'back from swap',
  spurious: 'another fault had resolved it',
  segv: 'not allowed here: SIGSEGV',
  bus: 'beyond the file: SIGBUS',
  userfault: 'a userfaultfd watches it: its reader resolves it',
};

const COLOURS: Readonly<Record<Kind, Colour>> = {
  anonZero: 'green',
  anonReadZero: 'green',
  cowCopy: 'yellow',
  cowReuse: 'cyan',
  fileRead: 'blue',
  fileShared: 'blue',
  stackGrow: 'magenta',
  swapIn: 'blue',
  spurious: 'gray',
  segv: 'red',
  bus: 'red',
  userfault: 'magenta',
};

/** A guess at what a reader takes in between two lines of output. */
const MAX_GROUPS = 5;
const GAP = ' │ ';
/** A line of /proc/PID/maps. */
const WHOLE_WIDTH = /^[0-9a-f]+-[0-9a-f]+ [-rwxps]{4} /;

/** Faults between two lines of output that are alike: who, what kind, which mapping. */
interface Group {
  readonly fault: FaultDescription;
  readonly places: Set<string>;
  count: number;
  majors: number;
}

export interface PageOptions {
  /** Of the whole page, in characters: 80 to 120 are used. */
  readonly columns: number;
  readonly colour: 'colour' | 'plain';
  readonly write: (text: string) => void;
}

/** What a program prints on the left; beside each line, the faults taken since the line before. Lines that do not fit wrap. */
export class TwoColumns {
  private readonly options: PageOptions;
  private readonly leftWidth: number;
  private readonly rightWidth: number;
  private readonly decoder = new TextDecoder();
  private partial = '';
  private groups = new Map<string, Group>();
  private firstPid = 0;
  private isStarted = false;

  constructor(options: PageOptions) {
    this.options = options;
    const columns = Math.min(Math.max(options.columns, 80), 120);
    this.rightWidth = Math.min(50, Math.floor((columns - GAP.length) / 2));
    this.leftWidth = columns - GAP.length - this.rightWidth;
  }

  addTitle(left: string, right: string): void {
    this.addRow([this.paint('bold', left)], [this.paint('bold', right)]);
    this.options.write(`${'─'.repeat(this.leftWidth + 1)}┼${'─'.repeat(this.rightWidth + 1)}\n`);
  }

  addOutput(bytes: Uint8Array): void {
    const lines = (this.partial + this.decoder.decode(bytes, { stream: true })).split('\n');
    this.partial = lines.pop()!;
    for (const line of lines) this.addLine(line);
  }

  addFault(fault: FaultDescription): void {
    this.firstPid ||= fault.pid;
    const key = `${fault.pid} ${fault.kind} ${fault.mapping}`;
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { fault, places: new Set(), count: 0, majors: 0 };
      this.groups.set(key, group);
    }
    group.places.add(placeOf(fault));
    group.count++;
    if (fault.major) group.majors++;
  }

  /** The rest: a line without an end, and the faults since the last line. */
  flush(): void {
    if (this.partial !== '') this.addLine(this.partial);
    this.partial = '';
    if (this.groups.size > 0) this.addRow([this.paint('dim', '(exit)')], this.takeFaults());
  }

  private addLine(line: string): void {
    if (WHOLE_WIDTH.test(line)) {
      this.options.write(`${cut(line.replace(/ {3,}/, '  '), this.leftWidth + GAP.length + this.rightWidth)}\n`);
      return;
    }
    if (!this.isStarted && this.groups.size > 0)
      this.addRow([this.paint('dim', '(execve, and the C library starts)')], this.takeFaults());
    this.isStarted = true;
    const right = this.takeFaults();
    const isHeading = /^\d+\. /.test(line);
    if (isHeading) this.addRow([], []);
    const left = wrap(line, this.leftWidth).map((text) => (isHeading ? this.paint('bold', text) : text));
    this.addRow(left, right);
  }

  private takeFaults(): string[] {
    const groups = [...this.groups.values()];
    this.groups = new Map();
    const cells = groups.slice(0, MAX_GROUPS).flatMap((group) => this.describe(group));
    const rest = groups.slice(MAX_GROUPS).reduce((sum, group) => sum + group.count, 0);
    if (rest > 0) cells.push(this.paint('dim', `and ${rest} more`));
    return cells;
  }

  private describe({ fault, places, count, majors }: Group): string[] {
    const times = count > 1 ? ` ×${count}` : '';
    const [first] = places;
    const others = places.size > 1 ? ` +${places.size - 1}` : '';
    const who = fault.pid === this.firstPid ? '' : 'child: ';
    const head = `${fault.kind}${times}`;
    const where = cut(`${who}${nameOf(fault)} in ${first}${others}`, this.rightWidth - Math.max(head.length, 15) - 1);
    const disk = majors > 0 ? `, ${majors} from disk` : '';
    return [
      `${this.paint(COLOURS[fault.kind], head.padEnd(15))} ${where}`,
      this.paint('dim', cut(`  ${WHY[fault.kind]}${disk}`, this.rightWidth)),
    ];
  }

  /** Cells already fit their columns; colours have no width. */
  private addRow(left: readonly string[], right: readonly string[]): void {
    for (let i = 0; i < Math.max(left.length, right.length, 1); i++) {
      const cell = left[i] ?? '';
      const padding = ' '.repeat(Math.max(0, this.leftWidth - widthOf(cell)));
      this.options.write(`${cell}${padding}${this.paint('dim', GAP)}${right[i] ?? ''}`.trimEnd().concat('\n'));
    }
  }

  private paint(style: Colour, text: string): string {
    return this.options.colour === 'colour' && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** The function, without what the compiler added to its name. */
function placeOf(fault: FaultDescription): string {
  return fault.symbol.replace(/\+0x[0-9a-f]+$/, '').replace(/\.(isra|part|constprop|cold|lto_priv)\b.*$/, '');
}

function nameOf(fault: FaultDescription): string {
  if (fault.mapping === null) return 'nothing';
  return fault.mapping === '//anon' ? 'memory' : fault.mapping.replace(/^.*\//, '');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one
  return text.replace(/\x1b\[[0-9;]*m/g, '').length;
}

/** Breaks at spaces; the lines after the first are indented by two more than the first. */
export function wrap(text: string, width: number): string[] {
  const indent = `${/^ */.exec(text)![0]}  `;
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    let at = rest.lastIndexOf(' ', width);
    if (at <= indent.length) at = width;
    lines.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}
