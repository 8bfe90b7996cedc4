import {
  describeVma,
  type FrameView,
  formatPage,
  type PageEvent,
  type PageView,
  viewFrame,
  type WalkStep,
} from '../src/index.ts';
import type { Answer, Asked } from './replay-questions.ts';
import { formatSize } from './size.ts';

/** Of a call stack in `explain`; all of it is in its JSON. */
const SHOWN_FRAMES = 8;
const INDENT = ' '.repeat(26);

type Space = Parameters<typeof describeVma>[0]['space'];

/** The mappings before and behind an address that is in none, in words; null: there is none. */
interface Neighbours {
  readonly below: { readonly mapping: string; readonly endsBefore: number } | null;
  readonly above: { readonly mapping: string; readonly beginsBehind: number } | null;
}

/** `explain ADDRESS`: the page as it is here, who mapped it, who else maps its frame, and its life so far. */
export function explain({ timeline, pid, historyOf }: Asked, address: number, view: PageView, space: Space): Answer {
  const frame = view.frame === null ? null : viewFrame(timeline.replay.system.kernel, view.frame.pfn);
  const endOfUser = space.taskSize * 4096;
  const isUser = address < endOfUser;
  const life = isUser ? historyOf(address, timeline.issued).of(pid) : [];
  const mapped = view.vma === null ? null : (life.findLast(({ what }) => what === 'mapped') ?? null);
  const neighbours = view.vma === null && isUser ? neighboursOf(space, address) : null;
  const text = [
    `${hex(address)} of process ${pid}: ${isUser ? formatPage(view) : 'no VMA can be there'}`,
    ...(isUser ? [] : [`  programs have the addresses below ${hex(endOfUser)}`]),
    ...(mapped === null ? [] : [`  ${whoMapped(mapped)}`]),
    ...(neighbours === null ? [] : neighbourLines(neighbours).map((line) => `  ${line}`)),
    ...walkLines(view.walk).map((line) => `  ${line}`),
    ...(frame === null ? [] : frameLines(frame).map((line) => `  ${line}`)),
    ...(isUser ? ['its life:', ...lifeLines(life)] : []),
    '',
  ].join('\n');
  return { text, json: { address, pid, page: view, mapped, neighbours, frame, life } };
}

/** `3f86833000-3f8683b000 rw-p anonymous by mmap from [...], at 0.285167 ms: map_anon check.h:82, main demo.c:30` */
function whoMapped({ detail, timeNs, stack }: PageEvent): string {
  const lines = stack.filter((place) => /:\d+$/.test(place));
  const places = (lines.length > 0 ? lines : stack).slice(0, 3).join(', ');
  return `${detail}, at ${ms(timeNs)}${places === '' ? '' : `: ${places}`}`;
}

function neighboursOf({ vmas }: Space, address: number): Neighbours {
  const page = Math.floor(address / 4096) as Parameters<typeof vmas.find>[0];
  const above = vmas.find(page);
  const below = above === null ? vmas.last() : vmas.prev(above);
  return {
    below: below && { mapping: describeVma(below), endsBefore: address - below.endVpn * 4096 },
    above: above && { mapping: describeVma(above), beginsBehind: above.startVpn * 4096 - address },
  };
}

function neighbourLines({ below, above }: Neighbours): string[] {
  const distance = (bytes: number, where: string): string =>
    bytes === 0 ? 'right here' : `${formatSize(bytes)} ${where}`;
  return [
    below === null
      ? 'there is no mapping below it'
      : `the mapping below ends ${distance(below.endsBefore, 'before it')}: ${below.mapping}`,
    above === null
      ? 'there is no mapping above it'
      : `the mapping above begins ${distance(above.beginsBehind, 'behind it')}: ${above.mapping}`,
  ];
}

/** Each step, below it the page as it was then, where that is not what it was before, and the call stack. */
function lifeLines(life: readonly PageEvent[]): string[] {
  if (life.length === 0) return ['  nothing has happened to it'];
  let shown = '';
  return life.flatMap(({ timeNs, pid, what, detail, stack, page }) => {
    const state = page === null ? shown : formatPage(page);
    const isNews = state !== shown;
    shown = state;
    return [
      `${ms(timeNs).padStart(17)}  ${String(pid).padStart(5)}  ${what.padEnd(9)} ${detail}`,
      ...(isNews ? [`${INDENT}${state}`] : []),
      ...stack.slice(0, SHOWN_FRAMES).map((place) => `${INDENT}  ${place}`),
      ...(stack.length > SHOWN_FRAMES ? [`${INDENT}  ... and ${stack.length - SHOWN_FRAMES} more`] : []),
    ];
  });
}

/** A page-table walk, entry by entry. */
export function walkLines(walk: readonly WalkStep[]): string[] {
  return walk.map(({ level, tableFrame, index, entry, present, leaf, flags, frame }) => {
    const place = `level ${level}  table in frame ${tableFrame}, entry ${index}: ${hex(entry)}`;
    if (!present) return `${place}  not present`;
    return `${place}  ${leaf ? `frame ${frame}, ${flags.join(' ')}` : `next table in frame ${frame}`}`;
  });
}

/** A frame, and everybody who maps it. */
export function frameLines({ pfn, flags, refcount, mapcount, mappers }: FrameView): string[] {
  return [
    `frame ${pfn}: ${flags === '' ? 'no flags' : flags}, refcount ${refcount}, mapcount ${mapcount}`,
    ...mappers.map(({ pid, address }) => `mapped by process ${pid} at ${hex(address)}`),
  ];
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(6)} ms`;
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
