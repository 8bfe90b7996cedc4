import { countFrames, formatPage, type PageHistory, type Timeline, viewFrame } from '../src/index.ts';
import { explain, frameLines, hex, walkLines } from './explain.ts';
import { UsageError } from './usage-error.ts';

/** What happened at an address from the start of the run up to a point (System.issued). */
export type HistoryOf = (address: number, issued: number) => PageHistory;

/** What can be asked at a point of a replay. */
export interface Question {
  readonly name: string;
  readonly usage: string;
  readonly about: string;
  readonly ask: (at: Asked) => Answer;
}

export interface Answer {
  /** Ends with a newline. */
  readonly text: string;
  readonly json: unknown;
}

export interface Asked {
  readonly timeline: Timeline;
  readonly pid: number;
  readonly args: readonly string[];
  readonly historyOf: HistoryOf;
}

export const QUESTIONS: readonly Question[] = [
  { name: 'where', usage: 'where', about: 'the point, and the processes there', ask: askWhere },
  ...['maps', 'smaps', 'smaps_rollup', 'status'].map((name) => ({
    name,
    usage: name,
    about: `/proc/PID/${name}`,
    ask: (asked: Asked) => askFile(asked, `/proc/${asked.pid}/${name}`),
  })),
  { name: 'cat', usage: 'cat FILE', about: 'a file of the guest: /proc/meminfo, /proc/vmstat ...', ask: askCat },
  {
    name: 'pagemap',
    usage: 'pagemap ADDRESS [PAGES]',
    about: 'pages of the process: mapping, frame, entry',
    ask: askPages,
  },
  { name: 'pt', usage: 'pt ADDRESS', about: 'the page-table walk, entry by entry', ask: askWalk },
  {
    name: 'frames',
    usage: 'frames [FRAME]',
    about: 'what RAM is used for; a frame and all who map it',
    ask: askFrames,
  },
  {
    name: 'explain',
    usage: 'explain ADDRESS',
    about: 'who mapped it, its frame and mappers, and its life so far',
    ask: askExplain,
  },
];

export interface Asker {
  readonly pid: number | undefined;
  readonly historyOf: HistoryOf;
  /** 'goes on': the machine stays as it is, though some answers change it (reading a file of /proc does). */
  readonly afterwards: 'goes on' | 'ends';
}

export function answer(
  timeline: Timeline,
  { question, args }: { readonly question: Question; readonly args: readonly string[] },
  { pid, historyOf, afterwards }: Asker,
): Answer {
  const whose = pid ?? timeline.replay.programPid;
  const ask = (): Answer => question.ask({ timeline, pid: whose, args, historyOf });
  return afterwards === 'goes on' ? timeline.asIf(ask) : ask();
}

function askWhere({ timeline }: Asked): Answer {
  const { kernel } = timeline.replay.system;
  const processes = [...kernel.processes.values()]
    .filter(({ leader }) => leader.space !== null)
    .map(({ pid, leader }) => ({
      pid,
      comm: leader.comm,
      state: leader.state,
      rssKb: (leader.space as { rss: ArrayLike<number> }).rss,
    }))
    .map(({ rssKb, ...rest }) => ({ ...rest, rssKb: (rssKb[0] + rssKb[1] + rssKb[3]) * 4 }));
  const { issued, nowNs } = timeline;
  const lines = processes.map(
    ({ pid, state, rssKb, comm }) => `${String(pid).padStart(6)} ${state}  ${String(rssKb).padStart(9)} kB  ${comm}`,
  );
  const head = `at ${(nowNs / 1e6).toFixed(6)} ms, @${issued} (instructions and traps)`;
  const table = lines.length === 0 ? ['no process is left'] : ['   PID S        RSS  COMMAND', ...lines];
  return { text: [head, ...table, ''].join('\n'), json: { nowNs, issued, processes } };
}

function askFile({ timeline, pid }: Asked, path: string): Answer {
  const bytes = timeline.replay.system.readFile(path);
  if (typeof bytes === 'number') {
    if (!path.startsWith(`/proc/${pid}/`)) throw new UsageError(`${path}: the guest has no such file here`);
    throw new UsageError(`process ${pid} is not there at this point; \`where\` says who is (--pid N)`);
  }
  const text = new TextDecoder().decode(bytes);
  return { text, json: { file: path, text } };
}

function askCat(asked: Asked): Answer {
  const [path] = asked.args;
  if (path === undefined) throw new UsageError('cat: name a file of the guest, such as /proc/meminfo');
  return askFile(asked, path);
}

function addressOf({ args }: Asked, question: string): number {
  const address = Number(args[0] ?? Number.NaN);
  // Addresses of the kernel's are beyond what a number holds exactly; that they are of no program is all there is to say.
  if (!Number.isInteger(address) || address < 0 || address >= 2 ** 64)
    throw new UsageError(`${question}: write an address such as 0x3fd7c2ec`);
  return address;
}

function pageAt({ timeline, pid }: Asked, address: number) {
  const view = timeline.replay.system.page(pid, address);
  if (view === null) throw new UsageError(`process ${pid} is not there at this point; \`where\` says who is (--pid N)`);
  return view;
}

function askPages(asked: Asked): Answer {
  const from = addressOf(asked, 'pagemap');
  const count = Number(asked.args[1] ?? 1);
  if (!Number.isInteger(count) || count < 1 || count > 100_000)
    throw new UsageError(`pagemap: ${asked.args[1]} is no number of pages`);
  const start = from - (from % 4096);
  const pages = Array.from({ length: count }, (_, at) => {
    const address = start + at * 4096;
    return { address, ...pageAt(asked, address) };
  });
  return { text: pages.map((page) => `${hex(page.address)} ${formatPage(page)}\n`).join(''), json: pages };
}

function askWalk(asked: Asked): Answer {
  const { walk } = pageAt(asked, addressOf(asked, 'pt'));
  const lines = walk.length > 0 ? walkLines(walk) : ['no program can have an address there, so there is no walk'];
  return { text: `${lines.join('\n')}\n`, json: walk };
}

function askFrames({ timeline, args }: Asked): Answer {
  const { kernel } = timeline.replay.system;
  if (args[0] === undefined) {
    const uses = countFrames(kernel);
    const text = uses.map(({ use, frames }) => `${String(frames).padStart(9)}  ${use}\n`).join('');
    return { text, json: uses };
  }
  const view = viewFrame(kernel, Number(args[0]));
  if (view === null) throw new UsageError(`frames: ${args[0]} is no frame; there are ${kernel.mm.frames.frameCount}`);
  return { text: `${frameLines(view).join('\n')}\n`, json: view };
}

function askExplain(asked: Asked): Answer {
  const address = addressOf(asked, 'explain');
  const view = pageAt(asked, address);
  const space = asked.timeline.replay.system.kernel.processes.get(asked.pid)?.leader.space ?? null;
  if (space === null) throw new Error('a process that has a page has a space');
  return explain(asked, address, view, space);
}
