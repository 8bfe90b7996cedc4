import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { NodeHostFiles } from '../../cli/node-host-files.ts';
import { MemoryEnvironment, System } from '../../src/index.ts';
import type { Case } from './cases.ts';
import { findSymbol } from './elf-symbol.ts';
import { furnish } from './guest-root.ts';
import { conventionOf, type Judgement, judge, signatureBytes } from './verdict.ts';

/** Of the output, so much is kept: from the front, where the first failure stands, and the last bytes. */
const KEPT_BYTES = 1 << 20;
const SLICE_INSTRUCTIONS = 20_000_000;
/** LTPROOT, and below it, where LTP's installation has them, the suite's programs and their helpers. */
const SUITE_ROOT = '/opt/suite';
const SUITE_FOLDER = `${SUITE_ROOT}/testcases/bin`;
const WORK_FOLDER = '/tmp/work';

/** Some ask for a system with a swap area. */
const SWAP_BYTES = 512 * 2 ** 20;
/** What the script that runs Linux's own tests of mm reserves first (run_vmtests.sh): 256 MB, but for two programs one page. */
const KSELFTEST_HUGE_PAGES = 128;
const KSELFTEST_ONE_HUGE_PAGE: readonly string[] = ['hugetlb_fault_after_madv', 'hugetlb_madv_vs_map'];

export interface CaseResult extends Judgement {
  readonly output: string;
}

export interface MachineSettings {
  readonly memoryBytes: number;
  /** The host's path of a busybox for the guest's /bin; null: none. */
  readonly busybox: string | null;
}

/** One case on a fresh machine; does not end by itself if the program does not: whoever calls it sets the time limit. */
export function runCase(item: Case, { memoryBytes, busybox }: MachineSettings): CaseResult {
  const { program } = item;
  if (program === null) return { verdict: 'missing', detail: `no program ${item.command[0]}`, output: '' };
  const output = new Output();
  const environment = new MemoryEnvironment({
    host: new NodeHostFiles(),
    stdio: ['null', 'pipe', 'pipe'],
    onOutput: (_, bytes) => output.push(bytes),
  });
  const system = new System({ environment, memoryBytes });
  system.addSwap({ sizeBytes: SWAP_BYTES });
  const convention = conventionOf(item.suite);
  if (busybox !== null) {
    furnish(system, busybox);
    letTimePass(system);
  }
  if (convention === 'kselftest') {
    const isForOne = KSELFTEST_ONE_HUGE_PAGE.includes(basename(program));
    reserveHugePages(system, isForOne ? 1 : KSELFTEST_HUGE_PAGES);
  }
  system.mount({ host: dirname(program), guest: SUITE_FOLDER, mode: 'ro' });
  system.writeFile(`${WORK_FOLDER}/.keep`, new Uint8Array(0));
  const path = `${SUITE_FOLDER}/${basename(program)}`;
  const pid = system.spawn(path, [path, ...item.command.slice(1)], {
    cwd: system.access(WORK_FOLDER) === 0 ? WORK_FOLDER : '/tmp',
    env: [
      `PATH=${SUITE_FOLDER}:/usr/bin:/bin`,
      'HOME=/root',
      'USER=root',
      'TMPDIR=/tmp',
      `LTPROOT=${SUITE_ROOT}`,
      'LTP_COLORIZE_OUTPUT=n',
    ],
  });
  if (pid < 0) return { verdict: 'error', detail: `cannot be executed: error ${-pid}`, output: '' };
  const tohostAt = findSymbol(readFileSync(program), 'tohost');
  for (;;) {
    const status = system.run({ instructions: SLICE_INSTRUCTIONS });
    const exit = system.exitStatus(pid);
    const tohost = tohostAt === null ? null : readWord(system, pid, tohostAt);
    const isDone = exit.code !== null || exit.signal !== null;
    if (isDone || (tohost !== null && tohost !== 0)) {
      const judged = judge(convention, { ...exit, tohost, output: output.text() });
      const signature =
        judged.verdict === 'pass' && convention === 'arch-test' ? compareSignature(program, output) : null;
      return { ...(signature ?? judged), output: output.text() };
    }
    if (status === 'exited' || status === 'idle-input') {
      return { verdict: 'timeout', detail: 'every process waits for ever', output: output.text() };
    }
  }
}

function reserveHugePages(system: System, count: number): void {
  const result = system.writeFile('/proc/sys/vm/nr_hugepages', new TextEncoder().encode(`${count}\n`));
  if (result < 0) throw new Error(`cannot reserve ${count} huge pages: error ${-result}`);
}

/** Systems that tests run on have been up for a while: some set clocks back, but not to before boot. */
function letTimePass(system: System): void {
  system.spawn('/bin/sleep', ['sleep', '60']);
  while (system.run({ instructions: SLICE_INSTRUCTIONS }) === 'budget');
}

function readWord(system: System, pid: number, address: number): number | null {
  const bytes = system.readMemory(pid, address, 8);
  return bytes.length < 8 ? null : Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

/** The program wrote its signature to standard output; beside it lies the reference. */
function compareSignature(program: string, output: Output): Judgement {
  const file = [`${program}.reference`, `${program}.reference_output`].find((name) => existsSync(name));
  if (file === undefined) return { verdict: 'unresolved', detail: 'no reference signature beside the program' };
  const expected = signatureBytes(readFileSync(file));
  const actual = signatureBytes(output.bytes());
  const differs = expected.findIndex((byte, at) => byte !== actual[at]);
  if (differs >= 0) return { verdict: 'fail', detail: `signature differs at byte ${differs} of ${expected.length}` };
  if (actual.length === expected.length) return { verdict: 'pass', detail: '' };
  return { verdict: 'fail', detail: `signature of ${actual.length} bytes, ${expected.length} expected` };
}

/** What the program wrote, bounded. */
class Output {
  private readonly parts: Uint8Array[] = [];
  private kept = 0;
  private last: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): void {
    if (this.kept < KEPT_BYTES) {
      this.parts.push(bytes.slice());
      this.kept += bytes.length;
    } else this.last = bytes.slice(-4096);
  }
  bytes(): Uint8Array {
    return Buffer.concat([...this.parts, this.last]);
  }
  text(): string {
    return Buffer.from(this.bytes()).toString('utf8');
  }
}
